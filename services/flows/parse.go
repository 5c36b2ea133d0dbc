package flows

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// The names that a file may give, each of which becomes a part of topics, paths, gRPC methods or metrics.
var (
	flowName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	unitName    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)
	pathName    = regexp.MustCompile(`^/[a-z][a-z0-9-]{0,39}$`)
	stepName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}\.[A-Z][A-Za-z0-9]{0,39}$`)
	topicName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$`)
	formName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)
	fieldName   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	reasonName  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	takenPaths  = []string{"/runs", "/healthz", "/readyz"}
	takenForms  = []string{"orders", "run", "shared", "all", "corners"}
	takenFields = []string{"id", "status", "run", "form", "number", "steps", "failures"} // of the answer to GET UNIT
	notServices = []string{Gateway, "client", "doctor"}
)

// ReadFile reads a flow from a file.
func ReadFile(path string) (*Flow, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("flow: %w: name a file that can be read", err)
	}
	return Parse(path, content)
}

// Parse reads a flow. Errors about its content are *Error and name the place by the file's name.
func Parse(file string, content []byte) (*Flow, error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff")) // some editors begin a file with a byte order mark
	doc := &document{file: file, lines: strings.Split(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n")}
	if err := doc.precheck(content); err != nil {
		return nil, err
	}
	root, err := doc.parseYAML(content)
	if err != nil {
		return nil, err
	}
	r := &reader{flow: &Flow{Reasons: map[string]int{}}, steps: map[Step]*token.Token{}, forms: map[Form]*token.Token{}}
	if err := r.read(root); err != nil {
		return nil, err
	}
	return r.flow, nil
}

// reader fills a flow in. It keeps where steps and forms stand, for errors that are found when all of them are known.
type reader struct {
	flow  *Flow
	steps map[Step]*token.Token
	forms map[Form]*token.Token
	each  map[Form]carried
}

func (r *reader) read(root value) error {
	f := r.flow
	var steps, forms *value
	later := func(at **value) func(value) error { return func(v value) error { *at = &v; return nil } }
	var fallback *value
	err := root.read("a flow",
		member{"flow", named(&f.Name, flowName, "a flow's name has small letters, digits and dashes, such as order or fan-out-3")},
		member{"unit", named(&f.Unit, unitName, "a unit's name has small letters, digits and _, such as order")},
		member{"path", named(&f.Path, pathName, "a path is a / and small letters, digits and dashes, such as /orders")},
		member{"what", into(&f.What)}, member{"body", r.readBody}, member{"reasons", r.readReasons},
		member{"timeout", func(v value) error { return readTimeout(&f.Timeout, v) }},
		member{"outbox", readSwitch(&f.Outbox)}, member{"default", later(&fallback)}, member{"steps", later(&steps)}, member{"forms", later(&forms)})
	if err != nil {
		return err
	}
	for _, missing := range []error{
		root.require(f.Name == "", "flow", "flow: order"), root.require(steps == nil, "steps", "steps: {SERVICE.Verb: {wait: 2ms}}"),
		root.require(forms == nil, "forms", "forms: {grpc: {each: grpc}}"),
	} {
		if missing != nil {
			return missing
		}
	}
	if f.Unit == "" {
		f.Unit = strings.ReplaceAll(f.Name, "-", "_")
	}
	if f.Path == "" {
		f.Path = "/" + f.Name + "s"
	}
	if slices.Contains(takenPaths, f.Path) {
		return &Error{File: root.doc.file, Field: "path", Problem: f.Path + " belongs to the gateway itself: choose another"}
	}
	if err := r.readSteps(*steps); err != nil {
		return err
	}
	if err := r.readForms(*forms); err != nil {
		return err
	}
	if err := r.readDefault(fallback); err != nil {
		return err
	}
	return r.check(root.doc)
}

// named reads a text of a form.
func named(to *string, form *regexp.Regexp, want string) func(value) error {
	return func(v value) error {
		if err := into(to)(v); err != nil {
			return err
		}
		if !form.MatchString(*to) {
			return v.wrong("%q: %s", cut(*to), want)
		}
		return nil
	}
}

func (r *reader) readReasons(v value) error {
	pairs, err := v.pairs("reasons")
	if err != nil {
		return err
	}
	if len(pairs) > maxFields {
		return v.wrong("%d reasons: use at most %d", len(pairs), maxFields)
	}
	for _, p := range pairs {
		if !reasonName.MatchString(p.key) {
			return p.value.wrong("a reason has small letters, digits and _, such as out_of_stock")
		}
		text, err := p.value.text()
		if err != nil {
			return err
		}
		status, err := strconv.Atoi(text)
		if err != nil || status < 400 || status > 499 {
			return p.value.wrong("%q: use the HTTP status that tells of it, 400 to 499", cut(text))
		}
		r.flow.Reasons[p.key] = status
	}
	return nil
}

func (r *reader) readDefault(v *value) error {
	if v == nil {
		r.flow.Default = r.flow.Columns[len(r.flow.Columns)-1].Form
		if slices.Contains(r.flow.Forms(), Hybrid) {
			r.flow.Default = Hybrid
		}
		return nil
	}
	text, err := v.text()
	if err != nil {
		return err
	}
	if _, err := r.flow.ParseForm(text); err != nil {
		return v.wrong("%s", unknown("form", text, words(r.flow.Forms())))
	}
	r.flow.Default = Form(text)
	return nil
}

func (r *reader) readForms(v value) error {
	pairs, err := v.pairs("forms")
	if err != nil {
		return err
	}
	if len(pairs) > maxForms {
		return v.wrong("%d forms: use at most %d", len(pairs), maxForms)
	}
	r.each = map[Form]carried{}
	for _, p := range pairs {
		if !formName.MatchString(p.key) || slices.Contains(takenForms, p.key) {
			return p.value.doc.about(p.token, p.value.field, "a form's name has small letters, digits and dashes, and is none of %s", strings.Join(takenForms, ", "))
		}
		r.forms[Form(p.key)] = p.token
		column, err := r.readForm(Form(p.key), p.value)
		if err != nil {
			return err
		}
		r.flow.Columns = append(r.flow.Columns, column)
	}
	return nil
}

// readForm reads what carries each step: each, and the steps that are carried otherwise.
func (r *reader) readForm(form Form, v value) (Column, error) {
	c := Column{Form: form, By: map[Step]Carrier{}, Batches: map[Step]Batch{}}
	var plan, arrange string
	members := []member{
		{"each", func(v value) error {
			each, batch, err := readCarried(v)
			r.each[form] = carried{each, batch}
			for _, row := range r.flow.Rows {
				if c.By[row.Step] == "" {
					c.carry(row.Step, each, batch)
				}
			}
			return err
		}},
		{"answer", func(v value) error { return r.readAnswer(&c, v) }},
		{"plan", oneOf(&plan, "caller", "callee")},
		{"arrange", oneOf(&arrange, "together", "one by one")},
		{"view", func(v value) error { return r.readView(&c, v) }},
		{"outbox", readSwitch(&c.Outbox)},
	}
	for _, row := range r.flow.Rows {
		members = append(members, member{string(row.Step), func(v value) error {
			by, batch, err := readCarried(v)
			c.carry(row.Step, by, batch)
			return err
		}})
	}
	if err := v.read("a form", members...); err != nil {
		return c, err
	}
	c.Callee, c.OneByOne = plan == "callee", arrange == "one by one"
	for _, row := range r.flow.Rows {
		if c.By[row.Step] == "" {
			return c, v.doc.about(r.forms[form], v.field, "nothing says what carries %s: name its carrier, or one for all with each: one of %s", row.Step, strings.Join(words(Carriers()), ", "))
		}
	}
	return c, nil
}

// readAnswer reads done, or after STEP.
func (r *reader) readAnswer(c *Column, v value) error {
	text, err := v.text()
	if err != nil {
		return err
	}
	step, after := strings.CutPrefix(text, "after ")
	switch {
	case text == "done":
		c.Waits = true
	case !after:
		return v.wrong("%q: write done, or after STEP, such as after %s", cut(text), r.flow.Entry())
	case r.steps[Step(step)] == nil:
		return v.wrong("%s", unknown("step", step, r.sortedSteps()))
	default:
		c.Answer = Step(step)
	}
	return nil
}

// carried is what carries a step, and in which batches.
type carried struct {
	by    Carrier
	batch Batch
}

// carry notes what carries a step. Batch is not zero when its messages are handled together.
func (c *Column) carry(step Step, by Carrier, batch Batch) {
	c.By[step] = by
	delete(c.Batches, step)
	if batch != (Batch{}) {
		c.Batches[step] = batch
	}
}

// oneOf reads one of a few words.
func oneOf(to *string, known ...string) func(value) error {
	return func(v value) error {
		if err := into(to)(v); err != nil {
			return err
		}
		if !slices.Contains(known, *to) {
			return v.wrong("%s", unknown("such choice as", *to, known))
		}
		return nil
	}
}

// words turns names into texts.
func words[T ~string](names []T) []string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return texts
}

// sortedSteps lists the steps that stand in a file, for an error about one that does not.
func (r *reader) sortedSteps() []string { return words(slices.Sorted(maps.Keys(r.steps))) }

// NotServices lists the names that no service of a step may have.
func NotServices() []string { return slices.Clone(notServices) }

// CheckName tells whether a flow may have a name.
func CheckName(name string) error {
	if !flowName.MatchString(name) {
		return fmt.Errorf("%q: a flow's name has small letters, digits and dashes, such as order or fan-out-3", cut(name))
	}
	return nil
}
