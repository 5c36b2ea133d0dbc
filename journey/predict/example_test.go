package predict_test

import (
	"fmt"
	"time"

	"tracelab/journey"
	"tracelab/journey/predict"
)

// What would the caller of an order wait if the payment were a message?
func ExamplePredict() {
	ms := func(n int64) int64 { return n * 1_000_000 }
	span := func(id, parent byte, service, name string, kind journey.Kind, start, end int64) journey.Span {
		s := journey.Span{Service: service, Name: name, Kind: kind, Start: ms(start), End: ms(end)}
		s.Trace[0], s.ID[0], s.Parent[0] = 1, id, parent
		return s
	}
	set := journey.NewSet([]journey.Span{
		span(1, 0, "client", "POST /orders", journey.KindClient, 0, 50),
		span(2, 1, "orders", "POST /orders", journey.KindServer, 1, 49),
		span(3, 2, "orders", "POST /charge", journey.KindClient, 10, 40),
		span(4, 3, "payment", "POST /charge", journey.KindServer, 11, 39),
		span(5, 4, "payment", "payment.Charge", journey.KindInternal, 12, 38),
	})
	p, err := predict.Predict(set.Journeys(), predict.ToMessage("payment.Charge"), predict.WithPublish(time.Millisecond), predict.WithDelivery(5*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("caller wait %g ms, predicted %g ms\n", *p.Measured.CallerWait.Median, *p.Predicted.CallerWait.Median)
	fmt.Printf("completion %g ms, predicted %g ms\n", *p.Measured.Completion.Median, *p.Predicted.Completion.Median)
	// Output:
	// caller wait 50 ms, predicted 21 ms
	// completion 50 ms, predicted 43 ms
}
