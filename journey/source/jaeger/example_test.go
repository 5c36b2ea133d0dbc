package jaeger_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"tracelab/journey/source/jaeger"
)

// The address of a page in the Jaeger UI is enough to fetch its trace.
func Example() {
	address, err := jaeger.ParseAddress("http://127.0.0.1:1/trace/4bf92f3577b34da6a3ce929d0e0e4736", time.Now())
	if err != nil {
		log.Fatal(err)
	}
	store, err := jaeger.Open(address.Base)
	if err != nil {
		log.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			log.Fatal(err)
		}
	}()
	_, err = store.Trace(context.Background(), address.Traces[0])
	var failed *jaeger.Error
	if errors.As(err, &failed) {
		fmt.Println("Jaeger is", failed.Kind)
	}
	// Output:
	// Jaeger is down
}

func ExampleParseAddress() {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for _, text := range []string{
		"jaeger:4bf92f3577b34da6a3ce929d0e0e4736",
		"https://example.com/jaeger/trace/1af...2bc",
		"http://localhost:16686/search?service=orders&lookback=2h",
	} {
		a, err := jaeger.ParseAddress(text, now)
		if err != nil {
			log.Fatal(err)
		}
		if a.Search != nil {
			fmt.Printf("%s: traces of %s since %s\n", a.Base, a.Search.Service, a.Search.Start.Format(time.TimeOnly))
			continue
		}
		fmt.Printf("%q: %d traces, comparison: %t\n", a.Base, len(a.Traces), a.Comparison)
	}
	// Output:
	// "": 1 traces, comparison: false
	// "https://example.com/jaeger": 2 traces, comparison: true
	// http://localhost:16686: traces of orders since 10:00:00
}
