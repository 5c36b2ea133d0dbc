package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// apache is the one license whose text stands in the repository: LICENSE.
const apache = "Apache-2.0"

// and joins the names of licenses that all apply.
const and = " AND "

const head = `NOTICE: what the program tracelab links, and under which licenses. tracelab itself is under Apache-2.0, whose text is the file LICENSE.
This file is written by: go run ./tools/notice

`

// write prints a table of the modules, and then each text once, with the modules that it belongs to.
func write(to io.Writer, modules []module) error {
	out := &strings.Builder{}
	out.WriteString(head)
	var order []text
	of := map[text][]string{}
	width := 0
	for _, m := range modules {
		width = max(width, len(strings.TrimSpace(m.path+" "+m.version)))
	}
	for _, m := range modules {
		name := strings.TrimSpace(m.path + " " + m.version)
		var licenses []string
		for _, t := range m.texts {
			licenses = append(licenses, strings.Split(t.license, and)...)
			if t.license == apache {
				t.lines = copyrights(t.lines)
			}
			if t.lines == "" {
				continue
			}
			if of[t] == nil {
				order = append(order, t)
			}
			of[t] = append(of[t], name)
		}
		slices.Sort(licenses)
		licenses = slices.DeleteFunc(slices.Compact(licenses), func(name string) bool { return name == "" })
		fmt.Fprintf(out, "%-*s  %s\n", width, name, strings.Join(licenses, and))
	}
	for _, t := range order {
		out.WriteString("\n" + strings.Repeat("-", 80) + "\n")
		for _, name := range of[t] {
			out.WriteString(name + "\n")
		}
		switch t.license {
		case "":
			out.WriteString("Notice:\n\n")
		case apache:
			out.WriteString("Apache-2.0, with its text in LICENSE:\n\n")
		default:
			out.WriteString(t.license + ":\n\n")
		}
		out.WriteString(t.lines)
	}
	_, err := io.WriteString(to, out.String())
	return err
}

// copyrights keeps the lines of an Apache license that name a holder. The license's own words and its template name none.
func copyrights(lines string) string {
	var kept strings.Builder
	for line := range strings.Lines(lines) {
		words := strings.TrimSpace(line)
		if strings.HasPrefix(words, "Copyright ") && !strings.ContainsAny(words, "[{") {
			kept.WriteString(words + "\n")
		}
	}
	return kept.String()
}
