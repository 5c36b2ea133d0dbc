// Package source reads spans for package journey: from files, from standard input, and by way of package
// journey/source/jaeger from Jaeger.
//
//	result, err := source.ReadFile("trace.json")
//	set := journey.NewSet(result.Spans)
//
// The content tells the format; input may be packed by gzip or zstd. Each format has a file of the package:
//
//	OTLP/JSON         one document of any length, lines (with logs and metrics between), or a list; resourceSpans, batches and
//	                  {"trace":…} as Tempo answers, {"result":…} as Jaeger's api/v3 does, or one ResourceSpans as some SDKs
//	                  write it; ids in hexadecimal or base64
//	OTLP protobuf     a message of traces, or messages that are delimited by a varint or as the collector's file exporter does
//	Jaeger JSON       {"data":[…]} as GET /api/traces/{id} answers and the Jaeger UI downloads, or one trace of it
//	Zipkin JSON       version 2: spans in lists or on lines
//	pdata             the traces of the OpenTelemetry collector, in memory
//
// Warnings in the result say what a format does not keep and what was damaged. One damaged span costs no other. Other tools'
// traces, and documents that are not traces, are refused by name with a RefusedError. Memory is in proportion to the spans:
// about 900 bytes for one with ten attributes and a link.
//
// A MessageReader reads single messages that arrive from a topic, one after another, span by span and in the same memory.
//
// CheckProtobuf and CheckJSON guard decoders that recurse: whoever receives OTLP calls them first.
//
// Complete asks a Store for the spans that others refer to and that are missing, and tells what is not stored from what was
// not fetched.
//
// To add a format, write a file with a function that appends to spans, call it in recognize.go (or in document.go, for JSON),
// and add a row to the test that takes the same journey through every format. To refuse a kind by name, add a row in
// refused.go.
package source
