package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"tracelab/internal/vocabulary"
	"tracelab/services/flows"
	"tracelab/watch/summary"
)

// schemaFiles are the JSON Schemas of what the commands print with --format json, and of the files that they write.
//
//go:embed schemas/*.schema.json
var schemaFiles embed.FS

// schemaSuffix ends the names of the files.
const schemaSuffix = ".schema.json"

// Names of the schemas that are embedded where the documents are written.
const (
	flowSchema    = "flow"    // of a flow's file
	summarySchema = "summary" // of what is kept of a judged journey
)

// schemaCommand is `tracelab schema`.
type schemaCommand struct {
	Name string `arg:"" optional:"" help:"The document, such as run or compare; without a name, all of them are listed." placeholder:"NAME"`
}

// Run prints a schema, or lists them.
func (c *schemaCommand) Run(s *streams) error {
	names, err := schemaNames()
	if err != nil {
		return err
	}
	if c.Name != "" {
		text, err := schemaText(c.Name, names)
		if err != nil {
			return err
		}
		if _, err := s.out.Write(text); err != nil {
			return fmt.Errorf("write the schema: %w", err)
		}
		return nil
	}
	for _, name := range names {
		title, err := schemaTitle(name, names)
		if err != nil {
			return err
		}
		const names = 13
		if _, err := io.WriteString(s.out, terminalOf(s.out).Line(fmt.Sprintf("%-*s", names, name), strings.Repeat(" ", names), title)); err != nil {
			return fmt.Errorf("write the list: %w", err)
		}
	}
	return nil
}

// printsData tells that a schema is a document for programs.
func (c *schemaCommand) printsData() bool { return c.Name != "" }

// schemaNames lists the schemas.
func schemaNames() ([]string, error) {
	entries, err := schemaFiles.ReadDir("schemas")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), schemaSuffix))
	}
	return append(names, flowSchema, summarySchema), nil
}

// schemaText returns the schema of that name, one of names.
func schemaText(name string, names []string) ([]byte, error) {
	switch name {
	case flowSchema:
		return flows.Schema(), nil
	case summarySchema:
		return summary.JSONSchema(), nil
	}
	text, err := schemaFiles.ReadFile(path.Join("schemas", name+schemaSuffix))
	if err != nil {
		return nil, &vocabulary.UnknownError{What: "schema", Word: name, Known: names}
	}
	return text, nil
}

// schemaTitle returns what the schema of that name is of.
func schemaTitle(name string, names []string) (string, error) {
	text, err := schemaText(name, names)
	if err != nil {
		return "", err
	}
	var schema struct{ Title string }
	err = json.Unmarshal(text, &schema)
	return schema.Title, err
}
