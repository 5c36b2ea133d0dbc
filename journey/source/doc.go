// Package source reads spans for package journey: from files, from standard input, and by way of package
// journey/source/jaeger from Jaeger.
//
//	result, err := source.ReadFile("trace.json")
//	set := journey.NewSet(result.Spans)
//
// Formats, one file of the package each; the content tells which it is, and they may be packed by gzip or zstd:
//
//	OTLP/JSON         one document of any length, lines (with logs and metrics between), or a list; resourceSpans, batches and
//	                  {"trace":…} as Tempo answers, {"result":…} as Jaeger's api/v3 does, or one ResourceSpans as some SDKs
//	                  write it; ids in hexadecimal or base64
//	OTLP protobuf     a message of traces, or messages that are delimited by a varint or as the collector's file exporter does
//	Jaeger JSON       {"data":[…]} as GET /api/traces/{id} answers and the Jaeger UI downloads, or one trace of it
//	Zipkin JSON       version 2: spans in lists or on lines
//	pdata             the traces of the OpenTelemetry collector, in memory
//
// What a format does not keep, and what was damaged, is in the warnings of the result. One damaged span costs no other. Other
// tools' traces, and what is no trace document, are refused by name with a RefusedError. Memory is in proportion to the spans:
// about 900 bytes for one with ten attributes and a link.
//
// CheckProtobuf and CheckJSON guard decoders that recurse: whoever receives OTLP calls them first.
//
// Complete asks a Store for the spans that others refer to and that are missing, and tells what is not stored from what was
// not fetched.
//
// A format to be added needs a file with a function that appends to spans, a place in recognise.go (or in document.go, for
// JSON), and a row in the test that takes the same journey through every format. A kind to be refused by name needs a row in
// refused.go.
package source
