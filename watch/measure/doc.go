// Package measure makes metrics of the summaries of judged journeys, by OpenTelemetry's API, so that any exporter sends them.
//
//	m, err := measure.New(provider, measure.Config{})
//	counted := m.Count(partition, summary)
//
// A summary may be read more than once; each key counts once. Counters show 0 the first time a series is collected, and what
// was counted from the next time on: an increase over time then has the first ones, too. End shows the rest.
//
// The metrics, with their units. Roots are "SERVICE NAME"; those that are seldom seen are "other", see Config.
//
//	tracelab.journey.caller_wait  s          histogram by root and outcome; exemplars are root spans
//	tracelab.journey.completion   s          as before
//	tracelab.journey.tail         s          as before
//	tracelab.journey.queue_wait   s          histogram of deliveries by root, destination and outcome
//	tracelab.journey.judged       {journey}  by root and outcome
//	tracelab.journey.silent       {journey}  by root: something failed of which the caller does not know
//	tracelab.journey.incomplete   {journey}  by root and reason: the rule that shows it, or watcher
//	tracelab.journey.path.time    s          of completion paths by root, step and kind of segment; over the sum it is the share
//	tracelab.journey.findings     {finding}  of lint, by rule
//	tracelab.journey.repeated     {journey}  summaries that were read again and not counted
//
// and their attributes:
//
//	tracelab.journey.root      gateway POST /orders, or other
//	tracelab.journey.outcome   ok, error, incomplete
//	tracelab.journey.reason    P04, or watcher where the spans do not show it
//	tracelab.journey.step      payment process orders, or other
//	tracelab.journey.segment   work, wait
//	tracelab.journey.rule      M10
//	messaging.destination.name orders, or other
//
// A watcher tells of itself beside them, and the dashboard and the alerts read these names:
//
//	tracelab.watch.partitions.behind {partition} gauge: partitions of the whole group that are behind or without a mark
//	tracelab.watch.held              s           counter: time for which verdicts were held
//	tracelab.watch.records           {record}    counter by tracelab.watch.result: decoded, damaged
//	tracelab.watch.traces            {trace}     counter by tracelab.watch.fate: judged, incomplete, part, shared, rootless, evicted
//	tracelab.watch.spans.late        {span}      counter: came for a journey that was judged
//	tracelab.watch.traces.open       {trace}     gauge: not decided yet
//
// Journeys that a sampler took count once each, whatever they stand for.
package measure
