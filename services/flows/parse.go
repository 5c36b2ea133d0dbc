package flows

import (
	"bytes"
	"fmt"
	"maps"
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
		member{"flow", named(&f.Name, flowName, "a flow's name has small letters, digits and dashes, at most 40, a letter first, such as order or fan-out-3")},
		member{"unit", named(&f.Unit, unitName, "a unit's name has small letters, digits and _, at most 30, a letter first, such as order")},
		member{"path", named(&f.Path, pathName, "a path is a / and at most 40 small letters, digits and dashes, a letter first, such as /orders")},
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
			return p.value.wrong("a reason has small letters, digits and _, at most 64, a letter first, such as out_of_stock")
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
		return fmt.Errorf("%q: a flow's name has small letters, digits and dashes, at most 40, a letter first, such as order or fan-out-3", cut(name))
	}
	return nil
}
