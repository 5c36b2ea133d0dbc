package services

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"

	"tracelab/internal/vocabulary"
	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/orderpb"
)

// Baggage members that an order carries. All but the seed, the faults and the start become span attributes of the same name;
// anything else in a client's baggage travels on and is never copied.
const (
	KeyRun      = "tracelab.run.id"
	KeyForm     = "tracelab.form"
	KeyFlow     = "tracelab.flow"
	KeyRelation = "tracelab.relation"
	KeyNumber   = "tracelab.order.number"
	KeyOrderID  = "tracelab.order.id"
	KeySeed     = "tracelab.seed"
	KeyFaults   = "tracelab.faults"
	KeyStart    = "tracelab.start" // of the run, in milliseconds since 1970; only beside faults that act for a part of it
)

// Span attributes of a step.
const (
	KeyStep      = "tracelab.step"      // its name
	KeyDuplicate = "tracelab.duplicate" // true: the step had been done before; without --no-dedupe it was skipped
)

// keyRefused names the step that a call was refused for, on the span that tells of it: the step itself was not begun.
const keyRefused = attribute.Key("tracelab.refused")

// Experiment is what an order carries with it, as W3C Baggage over HTTP headers, gRPC metadata and Kafka headers: one
// running system serves every form, and nothing but the order says which.
type Experiment struct {
	Run      string // "" outside a run
	Form     Form
	Flow     string // its name; "": whatever the services do
	Relation Relation
	Number   int // the order's number within its form, from 0; the same number is the same work in every form
	Seed     uint64
	Faults   []faults.Fault
	// Start is when the run began, for faults that act for a part of it only: without it these do not act.
	Start time.Time
}

// ParseFault reads a fault in the form SERVICE:KIND[=VALUE][@SHARE][,from=D][,to=D][,attempt=N], such as payment:delay=200ms@0.5. The
// error names the part that is wrong and what would be right.
func ParseFault(f *flows.Flow, text string) (faults.Fault, error) {
	return faults.Parse(text, f.Services())
}

// SplitFaults takes lists of faults with commas between them apart. What is empty stays, for ParseFault to refuse.
func SplitFaults(texts []string) []string {
	var list []string
	for _, text := range texts {
		if split := faults.Split(text); len(split) > 0 {
			list = append(list, split...)
			continue
		}
		list = append(list, text)
	}
	return list
}

// FaultKinds lists the kinds of faults.
func FaultKinds() []string { return faults.Kinds() }

// Default is the experiment of an order that carries none: placed by hand, outside any run.
func Default(f *flows.Flow) Experiment { return Experiment{Form: f.Default, Flow: f.Name} }

// WithBaggage puts the experiment into the context's baggage, for the propagator to carry.
func (e Experiment) WithBaggage(ctx context.Context) (context.Context, error) {
	start := ""
	if !e.Start.IsZero() && slices.ContainsFunc(e.Faults, faults.Fault.Timed) {
		start = strconv.FormatInt(e.Start.UnixMilli(), 10)
	}
	bag := baggage.FromContext(ctx)
	for _, m := range [][2]string{
		{KeyRun, e.Run}, {KeyForm, string(e.Form)}, {KeyFlow, e.Flow}, {KeyRelation, e.Relation.String()},
		{KeyNumber, strconv.Itoa(e.Number)}, {KeySeed, strconv.FormatUint(e.Seed, 10)}, {KeyFaults, faults.Join(e.Faults)}, {KeyStart, start},
	} {
		if m[1] == "" {
			continue
		}
		member, err := baggage.NewMemberRaw(m[0], m[1])
		if err != nil {
			return nil, fmt.Errorf("baggage member %s: %w", m[0], err)
		}
		if bag, err = bag.SetMember(member); err != nil {
			return nil, fmt.Errorf("baggage member %s: %w", m[0], err)
		}
	}
	return baggage.ContextWithBaggage(ctx, bag), nil
}

// withOrderID adds the order's id, known from orders.Accept on.
func withOrderID(ctx context.Context, id string) (context.Context, error) {
	member, err := baggage.NewMemberRaw(KeyOrderID, id)
	if err != nil {
		return nil, fmt.Errorf("baggage member %s: %w", KeyOrderID, err)
	}
	bag, err := baggage.FromContext(ctx).SetMember(member)
	if err != nil {
		return nil, fmt.Errorf("baggage member %s: %w", KeyOrderID, err)
	}
	return baggage.ContextWithBaggage(ctx, bag), nil
}

// experimentOf reads the experiment from the context's baggage. What is absent is as in Default; what is there and
// makes no sense is an error, so that no order runs as something it was not meant to be.
func experimentOf(ctx context.Context, f *flows.Flow) (Experiment, error) {
	e, bag := Default(f), baggage.FromContext(ctx)
	if err, refused := ctx.Value(senseless{}).(error); refused {
		return e, err
	}
	value := func(key string) string { return bag.Member(key).Value() }
	var err error
	if e.Run = value(KeyRun); utf8.RuneCountInString(e.Run) > longestText {
		return e, fmt.Errorf("baggage %s: %d characters: use at most %d", KeyRun, utf8.RuneCountInString(e.Run), longestText)
	}
	if form := value(KeyForm); form != "" {
		if e.Form, err = f.ParseForm(form); err != nil {
			return e, fmt.Errorf("baggage %s: %w", KeyForm, err)
		}
	}
	if name := value(KeyFlow); name != "" && name != f.Name {
		return e, fmt.Errorf("baggage %s: %w", KeyFlow, &vocabulary.UnknownError{What: "flow", Word: name, Known: []string{f.Name}})
	}
	if e.Relation, err = relationOf(bag); err != nil {
		return e, err
	}
	if number := value(KeyNumber); number != "" {
		if e.Number, err = strconv.Atoi(number); err != nil || e.Number < 0 {
			return e, fmt.Errorf("baggage %s: %q: use a number from 0 on", KeyNumber, number)
		}
	}
	if seed := value(KeySeed); seed != "" {
		if e.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
			return e, fmt.Errorf("baggage %s: %q: use a number from 0 to 2⁶⁴-1", KeySeed, seed)
		}
	}
	if start := value(KeyStart); start != "" {
		millis, err := strconv.ParseInt(start, 10, 64)
		if err != nil || millis < 0 {
			return e, fmt.Errorf("baggage %s: %q: use milliseconds since 1970", KeyStart, start)
		}
		e.Start = time.UnixMilli(millis)
	}
	for _, text := range faults.Split(value(KeyFaults)) {
		fault, err := ParseFault(f, text)
		if err != nil {
			return e, fmt.Errorf("baggage %s: %w", KeyFaults, err)
		}
		e.Faults = append(e.Faults, fault)
	}
	return e, nil
}

// experimentOf reads the experiment of an order. Where its baggage was lost, the order itself still tells what the accounts need and how it is to
// be carried out: its run, form, number and seed. Relation and faults are lost, and the attributes of spans.
func (n *node) experimentOf(ctx context.Context, order *orderpb.Order) (Experiment, error) {
	e, err := experimentOf(ctx, n.flow.Flow)
	if err != nil || baggage.FromContext(ctx).Member(KeyForm).Key() != "" || order.GetForm() == "" {
		return e, err
	}
	form, unknown := n.flow.ParseForm(order.GetForm())
	if unknown != nil || order.GetNumber() > math.MaxInt { // from elsewhere
		return e, nil //nolint:nilerr // what it carries counts
	}
	e.Run, e.Form, e.Number, e.Seed = order.GetRun(), form, int(order.GetNumber()), order.GetSeed()
	return e, nil
}

// mark writes into an order what experimentOf reads.
func (e Experiment) mark(order *orderpb.Order) {
	order.Run, order.Form, order.Number, order.Seed = e.Run, string(e.Form), uint64(e.Number), e.Seed
}

// formOf reads the one member that the metric of waiting messages asks for with every record: one of the forms, or _OTHER.
func formOf(ctx context.Context, f *flows.Flow) string {
	name := baggage.FromContext(ctx).Member(KeyForm).Value()
	if name == "" {
		name = string(f.Default)
	}
	if _, err := f.ParseForm(name); err != nil {
		return string(otherForm)
	}
	return name
}

// relationOf reads the one member that the Kafka instrumentation asks for with every record.
func relationOf(bag baggage.Baggage) (Relation, error) {
	name := bag.Member(KeyRelation).Value()
	if name == "" {
		return RelationBoth, nil
	}
	relation, err := ParseRelation(name)
	if err != nil {
		return relation, fmt.Errorf("baggage %s: %w", KeyRelation, err)
	}
	return relation, nil
}

// Draw is a generator that depends on the seed, the order's number and the words alone: the same draw in every form,
// in any order of asking.
func (e Experiment) Draw(words ...string) *rand.Rand {
	return draw(e.Seed, e.Number, words...)
}

func draw(seed uint64, number int, words ...string) *rand.Rand {
	h := fnv.New64a()
	for _, word := range append(words, strconv.Itoa(number)) {
		// Writing to a hash never fails.
		_, _ = h.Write([]byte(word))
		_, _ = h.Write([]byte{0})
	}
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
