// Package source reads spans for package compare: from files, from standard input, and by way of package
// journey/source/jaeger from Jaeger.
//
//	result, err := source.ReadFile("trace.json")
//	set := journey.NewSet(result.Spans)
//
// Formats, one file of the package each; the content tells which it is, and they may be packed by gzip or zstd:
//
//	OTLP/JSON         one document, lines (with logs and metrics between), or a list; resourceSpans, batches, or {"result":…} as
//	                  Jaeger's api/v3 answers
//	OTLP protobuf     a message of traces, or messages that are delimited by a varint or as the collector's file exporter does
//	Jaeger JSON       {"data":[…]} as GET /api/traces/{id} answers and the Jaeger UI downloads, or one trace of it
//	pdata             the traces of the OpenTelemetry collector, in memory
//
// What a format does not keep, and what was damaged, is in the warnings of the result. Memory is in proportion to the spans:
// about 900 bytes for one with ten attributes and a link, besides one line or message of the input.
//
// Complete asks a Store for the spans that others refer to and that are missing, and tells what is not stored from what was
// not fetched.
//
// A format to be added needs a file with a function that appends to spans, a place in recognise.go (or in document.go, for
// JSON), and a row in the test that takes the same journey through every format.
package source
