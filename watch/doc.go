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
// Handling a record only adds facts to sets, so reading it twice changes nothing, and no transactions are needed. An offset is committed when
// everything that followed from the records before it is written, and no open trace needs one of them.
//
// The words of this package:
//
//   - A stage is a membership in one consumer group: stage 0 reads the input topic, stage 1 the work topic (stage.go, member.go).
//   - A step is one round of a stage: it polls records, handles them, and writes what follows. Acks tracks which steps are acknowledged in full (acks.go).
//   - A place is the position of a stage in one partition: which records are handled, settled and committed (stage.go). Settled means handled,
//     with all that followed from it acknowledged by the broker.
//   - Reach tells since when a partition has been up to date, by the end offsets that the broker named (reach.go).
//   - A mark is a record of GROUP.marks by which a watcher tells the others how far one partition is (mark.go, marks.go).
//   - The gate reads all marks and holds verdicts until every partition of the group is up to date (gate.go).
//   - Gated time passes only while the gate is open: --quiet and --window are measured in it.
//   - Trouble logs that the broker cannot be reached, at most every ten seconds; the clients retry by themselves (client.go).
package watch
