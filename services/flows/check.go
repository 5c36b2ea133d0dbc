package flows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// SettleVerb is the verb of the step that the loader puts behind a flow that does not end with its entry's service.
const SettleVerb = "Settle"

// maxConditional is the most steps with when or share: every combination of them is checked.
const maxConditional = 6

// check refuses a flow that cannot run, with the line and the way out.
func (r *reader) check(doc *document) error {
	for _, step := range []func(*document) error{r.checkOrder, r.addSettle, r.checkPolicies, r.checkNames, r.checkTopics, r.checkViews, r.checkForms, r.checkBatches, r.checkPlans, r.checkOutbox} {
		if err := step(doc); err != nil {
			return err
		}
	}
	return nil
}

// at makes an error about a step.
func (r *reader) at(doc *document, step Step, format string, args ...any) error {
	return doc.about(r.steps[step], "steps: "+string(step), format, args...)
}

// checkOrder finds cycles, a second entry, and rows that stand above the steps that lead to them.
func (r *reader) checkOrder(doc *document) error {
	if circle := r.circle(); circle != nil {
		return r.at(doc, circle[0], "the steps go in a circle: %s: take one of these after away", strings.Join(words(append(circle, circle[0])), " after "))
	}
	for i, row := range r.flow.Rows {
		switch {
		case i == 0 && len(row.After) > 0:
			return r.at(doc, row.Step, "the first step is the entry, which the gateway leads to: put the one without after in front")
		case i > 0 && len(row.After) == 0:
			return r.at(doc, row.Step, "a second entry: only %s, the first step, has no after: say what this one comes after", r.flow.Entry())
		case i == 0 && (row.When != nil || row.Share < 1):
			return r.at(doc, row.Step, "every unit passes through the entry: leave out when and share")
		}
		for _, after := range row.After {
			if !slices.ContainsFunc(r.flow.Rows[:i], func(before Row) bool { return before.Step == after }) {
				return r.at(doc, row.Step, "it stands above %s, which leads to it: move it below", after)
			}
		}
	}
	return nil
}

// circle returns steps that lead to each other, or nil.
func (r *reader) circle() []Step {
	var path []Step
	finished := map[Step]bool{}
	var visit func(step Step) []Step
	visit = func(step Step) []Step {
		if i := slices.Index(path, step); i >= 0 {
			return slices.Clone(path[i:])
		}
		if finished[step] {
			return nil
		}
		path = append(path, step)
		row, _ := r.flow.Row(step)
		for _, after := range row.After {
			if circle := visit(after); circle != nil {
				return circle
			}
		}
		path = path[:len(path)-1]
		finished[step] = true
		return nil
	}
	for _, row := range r.flow.Rows {
		if circle := visit(row.Step); circle != nil {
			return circle
		}
	}
	return nil
}

// addSettle puts a step of the entry's service behind a flow that ends elsewhere, or with its entry: it completes the unit.
func (r *reader) addSettle(doc *document) error {
	f := r.flow
	var ends []Step
	for _, row := range f.Rows {
		if !slices.ContainsFunc(f.Rows, func(other Row) bool { return slices.Contains(other.After, row.Step) }) {
			ends = append(ends, row.Step)
		}
	}
	last := f.Rows[len(f.Rows)-1]
	if len(f.Rows) > 1 && len(ends) == 1 && last.Step.Service() == f.Entry().Service() && last.When == nil && last.Share == 1 {
		return nil
	}
	settle := Step(f.Entry().Service() + "." + SettleVerb)
	if r.steps[settle] != nil {
		return r.at(doc, settle, "a step of this name completes the flows that do not end with a step of %s: name it otherwise", f.Entry().Service())
	}
	for i, c := range f.Columns {
		f.Columns[i].By[settle] = c.By[ends[0]]
		if each := r.each[c.Form]; each.by != "" {
			f.Columns[i].carry(settle, each.by, each.batch)
		}
	}
	f.Rows = append(f.Rows, Row{Step: settle, After: ends, Message: f.Unit + ".settled", Share: 1})
	return nil
}

// checkNames finds steps of one service whose HTTP paths are the same, and services whose gRPC names are.
func (r *reader) checkNames(doc *document) error {
	paths := map[string]Step{}
	for _, step := range append(r.flow.Steps(), r.flow.Undos()...) {
		path := strings.ToLower(string(step))
		if before, ok := paths[path]; ok {
			at := step
			if undone, is := r.flow.Undone(step); is {
				at = undone.Step
			}
			return r.at(doc, at, "%s and %s have the same path in HTTP: name one of them otherwise", before, step)
		}
		paths[path] = step
	}
	return nil
}

// checkTopics finds steps that share a topic and are not led to by the same steps: a record must mean one thing.
func (r *reader) checkTopics(doc *document) error {
	for i, row := range r.flow.Rows {
		if row.Message == "" {
			continue
		}
		if row.Message == r.flow.FailureTopic() {
			return r.at(doc, row.Step, "message %s is the topic of failures: choose another", row.Message)
		}
		if row.Message == r.flow.CompletedTopic() {
			return r.at(doc, row.Step, "message %s is the topic of replies: choose another", row.Message)
		}
		for _, before := range r.flow.Rows[:i] {
			if before.Message == row.Message && !slices.Equal(before.After, row.After) {
				return r.at(doc, row.Step, "it shares the topic %s with %s and comes after other steps: give it a topic of its own", row.Message, before.Step)
			}
		}
	}
	return nil
}

// checkForms finds an entry that is carried by a message, and messages without a topic.
func (r *reader) checkForms(doc *document) error {
	for _, column := range r.flow.Columns {
		if err := r.checkAnswer(doc, column); err != nil {
			return err
		}
		for i, row := range r.flow.Rows {
			by := column.By[row.Step]
			switch {
			case i == 0 && by == GraphQL:
				return doc.about(r.forms[column.Form], "forms: "+string(column.Form), "the gateway calls %s alone, and a query holds the calls that come after it: carry it by http or grpc, such as {each: %s, %s: grpc}", row.Step, by, row.Step)
			case by == GraphQL && column.OneByOne:
				return doc.about(r.forms[column.Form], "forms: "+string(column.Form)+": arrange", "a query resolves its fields side by side: leave arrange out, or carry %s by grpc", row.Step)
			case by == GraphQL && column.Callee:
				return doc.about(r.forms[column.Form], "forms: "+string(column.Form)+": plan", "who makes a query carries on when its fields are resolved: leave plan out, or carry %s by grpc", row.Step)
			case i == 0 && by.IsMessage():
				return doc.about(r.forms[column.Form], "forms: "+string(column.Form), "the gateway calls %s: carry it by http or grpc, such as {each: %s, %s: grpc}", row.Step, by, row.Step)
			case by.IsMessage() && row.Message == "":
				return r.at(doc, row.Step, "the form %s carries it by %s, and it has no message: name its topic, such as message: %s.%s", column.Form, by, r.flow.Unit, strings.ToLower(row.Step.Verb()))
			}
		}
	}
	return nil
}

// checkAnswer finds an answer behind a step that the entry's service does not hold, or that not every unit passes through.
func (r *reader) checkAnswer(doc *document, column Column) error {
	if column.Answer == "" {
		return nil
	}
	at := func(format string, args ...any) error {
		return doc.about(r.forms[column.Form], "forms: "+string(column.Form)+": answer", format, args...)
	}
	if slices.Contains(r.flow.Conditional(), column.Answer) {
		return at("not every unit passes through %s: answer after a step without when and share", column.Answer)
	}
	p, err := r.flow.Plan(column.Form)
	if err != nil {
		return nil //nolint:nilerr // checkPlans says it with its place
	}
	if p.Holder(column.Answer) != r.flow.Entry() {
		return at("%s is not told when %s is done: answer after a step that it calls, such as %s, or when all is done", r.flow.Entry().Service(), column.Answer, r.flow.Entry())
	}
	return nil
}

// checkPlans finds forms that nobody can carry out: for units that pass through every step and for those that do not.
func (r *reader) checkPlans(doc *document) error {
	conditional := r.flow.Conditional()
	if len(conditional) > maxConditional {
		return r.at(doc, conditional[maxConditional], "%d steps have when or share: use at most %d", len(conditional), maxConditional)
	}
	for mask := range 1 << len(conditional) {
		var skipped []Step
		for i, step := range conditional {
			if mask>>i&1 == 1 {
				skipped = append(skipped, step)
			}
		}
		for _, column := range r.flow.Columns {
			p, err := r.flow.Plan(column.Form, skipped...)
			if i := slices.IndexFunc(p.joins(), func(h Hop) bool { return h.By == GraphQL }); i >= 0 {
				step := p.joins()[i].Step
				return doc.about(r.forms[column.Form], "forms: "+string(column.Form), "%s is told of each of its branches by itself, and not by a query: carry it by grpc or a message, such as %s: grpc", step, step)
			}
			wrong, ok := errors.AsType[*joinError](err)
			if !ok {
				continue
			}
			field := fmt.Sprintf("forms: %s", column.Form)
			if len(skipped) > 0 {
				field += ", without " + strings.Join(words(skipped), ", ")
			}
			return doc.about(r.steps[wrong.step], field, "%s", wrong.Error())
		}
	}
	return nil
}
