package source

import (
	"slices"
	"strings"
)

// shape has the fields of JSON of an unknown kind: the paths of their names, such as traces.spans.id, where lists do not
// count. Its size is bounded, whatever the input.
type shape map[string]bool

const (
	maxPaths     = 200
	maxPathDepth = 4
)

// add adds a field by its path.
func (s shape) add(path string) {
	if len(s) < maxPaths {
		s[path[:min(len(path), maxPathDepth*maxNameLength)]] = true
	}
}

// has reports whether all of the fields are there.
func (s shape) has(paths ...string) bool {
	return !slices.ContainsFunc(paths, func(path string) bool { return !s[path] })
}

// top returns the names of the outermost fields.
func (s shape) top() []string {
	var names []string
	for path := range s {
		if !strings.Contains(path, ".") {
			names = append(names, path)
		}
	}
	slices.Sort(names)
	return names
}

// survey skips a value, and adds its fields below a path to the shape.
func (d *spanDecoder) survey(s shape, path string, depth int) {
	switch d.peek() {
	case '{':
		if depth >= maxPathDepth || len(s) >= maxPaths {
			d.skipNested()
			return
		}
		d.object(func(key []byte) {
			inner := string(key[:min(len(key), maxNameLength)])
			if path != "" {
				inner = path + "." + inner
			}
			s.add(inner)
			d.survey(s, inner, depth+1)
		})
	case '[':
		if depth >= maxPathDepth || len(s) >= maxPaths {
			d.skipNested()
			return
		}
		d.array(func() { d.survey(s, path, depth) })
	default:
		d.skip()
	}
}
