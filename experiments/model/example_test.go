package model_test

import (
	"fmt"
	"time"

	"tracelab/experiments/model"
)

// What a caller waits for when the answer comes early, and when it comes at the end.
func ExamplePath_Predict() {
	k := model.Constants{Hop: 400 * time.Microsecond, Ack: 300 * time.Microsecond, Queue: 200 * time.Microsecond}
	accept := model.Stage{{Cost: 2 * time.Millisecond, Reach: model.Call}}
	work := func(reach model.Reach) []model.Stage {
		return []model.Stage{{{Cost: 18 * time.Millisecond, Reach: reach}}, {{Cost: 14 * time.Millisecond, Reach: reach}, {Cost: 8 * time.Millisecond, Reach: reach}}}
	}
	calls, _ := model.Path{Answer: append([]model.Stage{accept}, work(model.Call)...)}.Predict(k)
	messages, _ := model.Path{Answer: []model.Stage{accept}, Rest: work(model.Message)}.Predict(k)
	fmt.Printf("calls:    wait %v, completion %v\n", calls.Wait, calls.Completion)
	fmt.Printf("messages: wait %v, completion %v\n", messages.Wait, messages.Completion)
	// Output:
	// calls:    wait 35.2ms, completion 35.2ms
	// messages: wait 2.7ms, completion 35.4ms
}

// A service that is slow for two seconds: 8 workers, half of the orders 200 ms longer.
func ExampleOverload_Wait() {
	mean, _, err := model.MixedService(18445*time.Microsecond, 0.22, 200*time.Millisecond, 0.5)
	if err != nil {
		fmt.Println(err)
		return
	}
	capacity, _ := model.Station{Service: mean, Workers: 8}.Capacity()
	wait, last, _ := model.Overload{Arrivals: 100, Capacity: capacity, Lasts: 2 * time.Second}.Wait()
	fmt.Printf("%.1f/s: %v on average, %v at the end\n", capacity, wait.Round(time.Millisecond), last.Round(time.Millisecond))
	// Output: 67.5/s: 481ms on average, 961ms at the end
}

// A formula outside of its limits says which one to use.
func ExampleMMN() {
	_, err := model.MMN(model.Load{Arrivals: 120, Service: 20 * time.Millisecond, Workers: 2})
	fmt.Println(err)
	// Output: utilization is 1.2: from 1 on the queue grows without bound; use Overload
}

// 400 orders on 8 partitions: what the key hashes allow.
func ExampleMakespanBounds() {
	var keys []string
	for i := range 400 {
		keys = append(keys, fmt.Sprintf("order-%d", i))
	}
	loads, _ := model.PartitionLoads(keys, 8)
	for _, consumers := range []int{1, 4, 8} {
		least, greatest, _ := model.MakespanBounds(loads, consumers, 20*time.Millisecond)
		fmt.Printf("with %d: %v to %v\n", consumers, least, greatest)
	}
	// Output:
	// with 1: 8s to 8s
	// with 4: 2s to 2.28s
	// with 8: 1.18s to 1.18s
}
