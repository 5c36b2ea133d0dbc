// Package predict tells what journeys would have taken if some of their hops had another carrier: a message in the place of
// a call, or a call in the place of a message.
//
//	p, err := predict.Predict(journeys, predict.ToMessage("inventory.Reserve"), predict.From("kafka", others))
//	fmt.Println(*p.Measured.CallerWait.Median, *p.Predicted.CallerWait.Median)
//
// Each journey becomes a plan: what started after what, and how long after it. A plan with no hop turned replays to the
// journey's own times, to the nanosecond. Turning a hop changes the plan:
//
//   - A call that becomes a message holds its caller for a publish only. Its callee starts one delivery after the publish
//     began. What began after the call had ended moves behind the callee: calls and messages start from there, and the
//     caller's own work comes back to it as one more message, which never holds the answer.
//   - A message that becomes a call holds its sender until its consumers have ended. A consumer whose service waits up the
//     chain already costs no request.
//
// What a publish, a delivery and a call cost are medians, measured or given. Who needs whom is inferred from the order in
// time. Load, retries and contention are not predicted: queues that stay are as long as they were.
//
// Nothing in the package recurses, and no result depends on the order in which hops are named.
package predict
