// Command gaterates measures how often a gate is right: it runs the lab twice with the same orders, and once with a slower
// payment, and counts the outcomes of a limit on each pair.
//
//	go run ./tools/gaterates -pairs 20 -orders 100
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

func main() {
	pairs := flag.Int("pairs", 20, "how many pairs of runs")
	orders := flag.Int("orders", 100, "orders of each run")
	form := flag.String("form", "grpc", "the form that is run")
	limit := flag.String("limit", "completion>5%", "the limit that is judged")
	slower := flag.String("slower", "payment:delay=6ms", "the fault of the run that is slower: about 10 % of completion")
	pair := flag.String("pair", "tracelab.order.number", "by what journeys are paired; a name that no span has: not at all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := measure(ctx, *pairs, *orders, *form, *limit, *slower, *pair)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gaterates:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, pairs, orders int, form, limit, slower, key string) error {
	dir, err := os.MkdirTemp("", "gaterates")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	program := filepath.Join(dir, "tracelab")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/tracelab").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	same, more := map[string]int{}, map[string]int{}
	for i := range pairs {
		runs := map[string][]string{"a": nil, "b": nil, "slow": {"--fault", slower}}
		for _, name := range []string{"a", "b", "slow"} {
			args := append([]string{"run", "--forms", form, "--orders", fmt.Sprint(orders), "--out", filepath.Join(dir, fmt.Sprint(name, i))}, runs[name]...)
			if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w\n%s", args, err, out)
			}
		}
		for name, counts := range map[string]map[string]int{"b": same, "slow": more} {
			outcome, err := judge(ctx, program, limit, key, filepath.Join(dir, fmt.Sprint("a", i), "latest", form), filepath.Join(dir, fmt.Sprint(name, i), "latest", form))
			if err != nil {
				return err
			}
			counts[outcome]++
		}
		for _, name := range []string{"a", "b", "slow"} {
			if err := os.RemoveAll(filepath.Join(dir, fmt.Sprint(name, i))); err != nil {
				return err
			}
		}
	}
	_, err = fmt.Fprintf(os.Stdout, "%d pairs of runs of %d orders, %s, %s\n  the same thing: %v\n  with %s: %v\n", pairs, orders, form, limit, same, slower, more)
	return err
}
