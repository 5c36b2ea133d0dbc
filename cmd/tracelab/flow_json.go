package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"tracelab/services/flows"
)

// Schemas of what flow list and flow check print with --format json. Fields are added to a version, never renamed.
const (
	flowListSchema  = "tracelab.flow.list/v1"
	flowCheckSchema = "tracelab.flow.check/v1"
)

// writeFlowList writes the built-in flows.
func writeFlowList(w io.Writer, builtins []flows.Builtin) error {
	type listed struct {
		Name string `json:"name"`
		What string `json:"what"`
	}
	list := make([]listed, len(builtins))
	for i, b := range builtins {
		list[i] = listed(b)
	}
	return encodeIndented(w, map[string]any{"schema": flowListSchema, "flows": list})
}

// checkedFlow is what flow check found of one file.
type checkedFlow struct {
	File     string   `json:"file"`
	OK       bool     `json:"ok"`
	Error    string   `json:"error,omitempty"` // file:line:column and what is wrong, when it is no flow that can run
	Flow     string   `json:"flow,omitempty"`
	Steps    []string `json:"steps,omitempty"`
	Services []string `json:"services,omitempty"` // the gateway first
	Forms    []string `json:"forms,omitempty"`
}

// checkFlow says what there is of a flow, or what is wrong with it.
func checkFlow(file string, f *flows.Flow, wrong *flows.Error) checkedFlow {
	if wrong != nil {
		return checkedFlow{File: file, Error: wrong.Error()}
	}
	c := checkedFlow{File: file, OK: true, Flow: f.Name, Services: f.Services(), Forms: formNames(f.Forms())}
	for _, row := range f.Rows {
		c.Steps = append(c.Steps, string(row.Step))
	}
	return c
}

// text writes it as one line.
func (c checkedFlow) text() string {
	if !c.OK {
		return c.Error
	}
	return fmt.Sprintf("%s: flow %s: %s of %s, forms %s", c.File, c.Flow, count(len(c.Steps), "step"), count(len(c.Services)-1, "service"), strings.Join(c.Forms, ", "))
}

// writeFlowCheck writes what was found.
func writeFlowCheck(w io.Writer, checked []checkedFlow) error {
	return encodeIndented(w, map[string]any{"schema": flowCheckSchema, "files": checked})
}

func encodeIndented(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
