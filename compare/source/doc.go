// Package source reads spans for package compare: one file for each format.
//
//	result, err := source.ReadFile("runs/latest/kafka.otlp.jsonl")
//	set := compare.Normalise(result.Spans)
//
// Formats: OTLP/JSON, as one document or as lines that may be mixed with logs and metrics, plain or gzip; OTLP protobuf;
// and the traces of the collector's pdata.
package source
