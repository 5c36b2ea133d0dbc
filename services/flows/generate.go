package flows

import (
	"fmt"
	"strings"
)

// mostGenerated is the most services that a generator makes.
const mostGenerated = 50

// forms of the generated flows; %[1]s is the entry.
const generatedForms = `forms:
  rest: {each: http}
  grpc: {each: grpc}
  chained: {each: grpc, plan: callee}
  kafka: {each: kafka, %[1]s: grpc}
  ack: {each: grpc, answer: after %[1]s}
  reply: {each: kafka, %[1]s: grpc, answer: done}
`

// chain is the YAML of a flow with n services one behind the other.
func chain(n int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "flow: chain-%d\nunit: unit\npath: /units\nwhat: A unit goes through %s, one behind the other.\nbody: {name: text 1..100}\nsteps:\n", n, services(n))
	fmt.Fprintf(&b, "  entry.Accept: {wait: 2ms, cpu: 60}\n")
	before := "entry.Accept"
	for i := range n {
		step := fmt.Sprintf("link-%d.Work", i+1)
		fmt.Fprintf(&b, "  %s: {after: %s, message: unit.at-%d, wait: 5ms, cpu: 60}\n", step, before, i+1)
		before = step
	}
	fmt.Fprintf(&b, generatedForms, "entry.Accept")
	return []byte(b.String())
}

// fanOut is the YAML of a flow with n services side by side.
func fanOut(n int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "flow: fan-out-%d\nunit: unit\npath: /units\nwhat: A unit goes to %s, side by side.\nbody: {name: text 1..100}\nsteps:\n", n, services(n))
	fmt.Fprintf(&b, "  entry.Accept: {wait: 2ms, cpu: 60}\n")
	for i := range n {
		fmt.Fprintf(&b, "  branch-%d.Work: {after: entry.Accept, message: unit.accepted, wait: 5ms, cpu: 60}\n", i+1)
	}
	fmt.Fprintf(&b, generatedForms, "entry.Accept")
	b.WriteString("  one-by-one: {each: grpc, arrange: one by one}\n")
	return []byte(b.String())
}

func services(n int) string {
	if n == 1 {
		return "1 service"
	}
	return fmt.Sprintf("%d services", n)
}
