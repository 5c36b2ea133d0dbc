// Package watch judges a stream of traces out of Kafka. Started once or fifty times, with the same group, it is one machine: Kafka's consumer
// groups share out the work, and what a watcher has not finished when it ends is done by another one.
//
//	input topic ──(stage 0: keep what the judge reads)──▶ GROUP.work ──(stage 1: one actor per trace)──▶ tracelab.journeys
//	                                                         ▲                    │ ask, tell, give
//	                                                         └────────────────────┘
//
// Stage 0 reads values of OTLP, whatever wrote and keyed them, and writes each span to the partition of its trace. Stage 1 owns partitions of the
// work topic: actors find out which journeys reach their spans, and the owner of a root judges its journey when nothing new has come for a while in
// which the whole group was up to date. Marks say whether it is.
//
// No step counts, every step joins sets: to read a record twice changes nothing. So there are no transactions. An offset is committed when all
// that came out of the records before it is written, and no open trace needs one of them.
package watch
