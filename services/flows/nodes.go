package flows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// value is a node of a file with the name of its field.
type value struct {
	doc   *document
	node  ast.Node
	field string
	more  string // of the text, behind a comma inside braces
}

// pair is a member of a mapping.
type pair struct {
	key   string
	token *token.Token // of the key
	value value
}

// parseYAML parses a file that precheck has let through.
func (d *document) parseYAML(content []byte) (value, error) {
	file, err := parser.ParseBytes(content, 0)
	if err != nil {
		if wrong, ok := errors.AsType[*yaml.SyntaxError](err); ok {
			return value{}, d.about(wrong.Token, "", "this is no YAML: %s", d.yamlRemedy(content, wrong.Message, wrong.Token))
		}
		return value{}, &Error{File: d.file, Problem: "this is no YAML: " + cut(err.Error()) + compareWith}
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return value{}, &Error{File: d.file, Problem: "the file has no flow in it: tracelab flow show order --yaml prints one to begin with"}
	}
	return value{doc: d, node: file.Docs[0].Body}, nil
}

// undoRemedy returns how to write an undo with a cost of its own when the line of a token has undo: parcel.Recall {wait: 3ms}, which is not YAML.
// Otherwise it returns "".
func undoRemedy(content []byte, t *token.Token) string {
	lines := strings.Split(string(content), "\n")
	if t == nil || t.Position == nil || t.Position.Line < 1 || t.Position.Line > len(lines) {
		return ""
	}
	_, behind, _ := strings.Cut(lines[t.Position.Line-1], "undo:")
	name, _, braces := strings.Cut(behind, "{")
	if name = strings.TrimSpace(name); !braces || name == "" || strings.ContainsAny(name, ",}") {
		return ""
	}
	return fmt.Sprintf(": write undo: {%s: {wait: 3ms}}", cut(name))
}

// wrong makes an error about the value.
func (v value) wrong(format string, args ...any) error {
	return v.doc.about(v.node.GetToken(), v.field, format, args...)
}

// below is the name of a field inside this one.
func (v value) below(key string) string {
	if v.field == "" {
		return cut(key)
	}
	return v.field + ": " + cut(key)
}

// pairs reads a mapping, in the order of the file.
func (v value) pairs(what string) ([]pair, error) {
	var nodes []*ast.MappingValueNode
	switch n := v.node.(type) {
	case *ast.MappingNode:
		nodes = n.Values
	case *ast.MappingValueNode:
		nodes = []*ast.MappingValueNode{n}
	default:
		return nil, v.wrong("%s: use a mapping, {NAME: VALUE, …}", what)
	}
	if len(nodes) == 0 {
		return nil, v.wrong("%s: it is empty: write {NAME: VALUE, …}, or leave it out", what)
	}
	pairs := make([]pair, 0, len(nodes))
	for _, n := range nodes {
		key, ok := scalar(n.Key)
		if !ok {
			return nil, v.doc.about(n.Key.GetToken(), v.field, "a name is a plain word: write NAME: VALUE")
		}
		p := pair{key: key, token: n.Key.GetToken(), value: value{doc: v.doc, node: n.Value, field: v.below(key)}}
		if len(pairs) > 0 && behindComma(n, key, pairs[len(pairs)-1].key) {
			pairs[len(pairs)-1].value.more += ", " + key
			continue
		}
		if _, null := n.Value.(*ast.NullNode); null || n.Value == nil {
			return nil, v.doc.about(p.token, p.value.field, "there is nothing behind it: give it a value, or leave it out")
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// commaFields have a comma in their text. Inside braces, YAML takes what is behind it for a name of its own: {retry: 3, backoff 50ms}.
var commaFields = []string{"retry", "breaker"}

// behindComma tells whether a name without a colon is the rest of the field before it.
func behindComma(n *ast.MappingValueNode, name, before string) bool {
	_, null := n.Value.(*ast.NullNode)
	if !null || n.Start == nil || n.Start.Type == token.MappingValueType {
		return false
	}
	_, err := time.ParseDuration(name)
	return slices.Contains(commaFields, before) || err == nil && (before == "each" || strings.Contains(before, ".")) // kafka in batches of 100, 20ms
}

// scalar is the text of a node as the file has it.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// text reads a scalar.
func (v value) text() (string, error) {
	text, ok := scalar(v.node)
	if !ok {
		return "", v.wrong("use a plain text")
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", v.wrong("it is empty: give it a value, or leave it out")
	}
	return text + v.more, nil
}

// texts reads one scalar, or a list of them.
func (v value) texts() ([]value, error) {
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		return []value{v}, nil
	}
	if len(list.Values) == 0 {
		return nil, v.wrong("the list is empty: leave it out")
	}
	values := make([]value, len(list.Values))
	for i, n := range list.Values {
		values[i] = value{doc: v.doc, node: n, field: v.field}
	}
	return values, nil
}

// member says what to do with one field of a mapping.
type member struct {
	name string
	read func(value) error
}

// read hands each field of a mapping to its member and refuses the others.
func (v value) read(what string, members ...member) error {
	pairs, err := v.pairs(what)
	if err != nil {
		return err
	}
	var names []string
	for _, m := range members {
		names = append(names, m.name)
	}
next:
	for _, p := range pairs {
		for _, m := range members {
			if m.name == p.key {
				if err := m.read(p.value); err != nil {
					return err
				}
				continue next
			}
		}
		return v.doc.about(p.token, v.field, "%s", unknown("field", p.key, names))
	}
	return nil
}

// into reads a text into a variable.
func into(to *string) func(value) error {
	return func(v value) (err error) { *to, err = v.text(); return err }
}

// require says that a field is missing.
func (v value) require(missing bool, field, example string) error {
	if !missing {
		return nil
	}
	return &Error{File: v.doc.file, Field: v.field, Problem: fmt.Sprintf("no %s: say it, such as %s", field, example)}
}
