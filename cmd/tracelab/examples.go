package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// example is a command line and what it is good for.
type example struct{ line, what string }

// examples are those of each command, by its path.
func examples() map[string][]example {
	return map[string][]example{
		"tracelab": {
			{"tracelab up", "the lab with a web page"},
			{"tracelab run", "the same orders in every form, compared"},
			{"tracelab help compare", "what a command takes"},
		},
		"up": {
			{"tracelab up", "then open http://127.0.0.1:8080"},
			{"tracelab up --flow ride --fault driver:delay=200ms@0.5", "another flow, with a slow service"},
		},
		"run": {
			{"tracelab run --fault payment:delay=200ms@0.5", "one slow service: who feels it?"},
			{"tracelab run --forms grpc,kafka --orders 500 --rate 200", "more of two forms"},
			{"tracelab run --flow ride --format markdown >run.md", "another flow, for a comment"},
		},
		"compare": {
			{"tracelab compare runs/latest", "the forms of a run"},
			{"tracelab compare before.json after.json --fail-on 'completion>5%'", "a gate"},
			{"tracelab compare runs/latest --format html >forms.html", "one page"},
		},
		"journey": {
			{"tracelab journey runs/latest --form grpc", "the median order of a form"},
			{"tracelab journey runs/latest --slowest --attributes", "where the time went"},
			{"tracelab journey traces.otlp.jsonl --list", "what a file has"},
		},
		"hops": {
			{"tracelab hops --form kafka", "what crosses each hop of one order"},
			{"tracelab hops --form ack --fault orders:drop-context", "where does it break?"},
		},
		"predict": {
			{"tracelab predict runs/latest/grpc --message payment.Charge --from kafka", "one step"},
			{"tracelab predict runs/latest/grpc --like kafka --check kafka", "is it right?"},
		},
		"lint": {
			{"tracelab lint runs/latest", "every rule"},
			{"tracelab lint traces.json --fail-on warning", "a gate"},
			{"tracelab lint --explain M01", "what a rule wants"},
		},
		"claims": {
			{"tracelab claims", "list them"},
			{"tracelab claims surge --seeds 3", "judge one, with three runs of each arm"},
			{"tracelab claims all --format html >claims.html", "judge all, on one page"},
		},
		"receive": {
			{"tracelab receive --out mine.otlp.jsonl", "until Ctrl-C"},
			{"tracelab receive --otlp 127.0.0.1:14317 --for 1m", "at another port, for a minute"},
		},
		"watch": {
			{"tracelab watch --kafka 127.0.0.1:9092", "until Ctrl-C; start others with an --instance of their own"},
			{"tracelab watch --kafka 127.0.0.1:9092 --until-end", "what the topic holds now"},
		},
		"flow list": {
			{"tracelab flow list", "their names, and what they do"},
			{"tracelab flow list --format json", "for a script"},
		},
		"flow show": {
			{"tracelab flow show order", "draw one"},
			{"tracelab flow show chain:4 --yaml >mine.yaml", "begin one of your own"},
		},
		"flow check": {
			{"tracelab flow check mine.yaml", "what is wrong with it, and where"},
			{"tracelab flow check mine.yaml --format json", "for an editor or a script"},
		},
		"flow from": {
			{"tracelab flow from traces.json --root 'POST /orders' --out mine.yaml", "from traces"},
			{"tracelab flow from runs/latest/kafka", "print it"},
		},
		"redrive": {
			{"tracelab redrive stock.reserved --kafka 127.0.0.1:9092", "all of a topic"},
			{"tracelab redrive stock.reserved --rabbitmq 127.0.0.1:5672 --most 100", "some"},
		},
		"serve": {
			{"tracelab serve all --kafka embedded", "the whole lab in one process"},
			{"tracelab serve payment shipping --kafka 127.0.0.1:9092", "two services"},
		},
		"doctor": {
			{"tracelab doctor", "walk through the stack on this machine"},
			{"tracelab doctor --wait --only kafka,jaeger --timeout 1m", "until two parts are up"},
		},
		"runs list": {
			{"tracelab runs list", "how old and how large they are"},
			{"tracelab runs list --format json", "for a script"},
		},
		"runs prune": {
			{"tracelab runs prune --keep 10 --dry-run", "what would go"},
			{"tracelab runs prune --keep 10 --younger 7d", "all but the last ten and those of a week"},
		},
		"help": {
			{"tracelab help run", "as tracelab run --help"},
			{"tracelab help flow from", "a command below a command"},
		},
		"schema": {
			{"tracelab schema", "which there are"},
			{"tracelab schema compare >compare.schema.json", "for an editor or a validator"},
		},
		"man": {
			{"tracelab man >tracelab.1", "then: man ./tracelab.1"},
			{"tracelab man >/usr/local/share/man/man1/tracelab.1", "where man finds it"},
		},
		"completion": {
			{`source <(tracelab completion bash)`, "for this shell; put it into ~/.bashrc"},
			{`tracelab completion zsh >"${fpath[1]}/_tracelab"`, "for zsh"},
			{"tracelab completion fish >~/.config/fish/completions/tracelab.fish", "for fish"},
		},
	}
}

// withExamples adds the examples to the help of their commands.
func withExamples(k *kong.Kong) error {
	all := examples()
	nodes := append(k.Model.Leaves(false), k.Model.Node)
	for _, node := range nodes {
		if list := all[pathOf(node)]; len(list) > 0 {
			node.Detail = "Examples:\n\n" + exampleText(list)
		}
	}
	return nil
}

// pathOf returns a command's words, without the program's name; that of the program itself is its name.
func pathOf(node *kong.Node) string {
	if node.Parent == nil {
		return node.Name
	}
	words := []string{node.Name}
	for up := node.Parent; up.Parent != nil; up = up.Parent {
		words = append(words, up.Name)
	}
	slices.Reverse(words)
	return strings.Join(words, " ")
}

// exampleText writes examples as lines that are not wrapped, below what each is good for.
func exampleText(list []example) string {
	var b strings.Builder
	for _, e := range list {
		fmt.Fprintf(&b, "\t# %s\n\t%s\n", e.what, e.line)
	}
	return b.String()
}
