package services

import (
	"cmp"
	"strings"

	"tracelab/services/flows"
)

// payloadLetters are 64 letters that JSON does not escape.
const payloadLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// payload is what travels with the hop that leads to a step: the same in every form. Steps that share a message share its payload.
func (e Experiment) payload(row flows.Row) string {
	if row.Payload == 0 {
		return ""
	}
	draw := e.Draw("payload", cmp.Or(row.Message, string(row.Step)))
	var b strings.Builder
	b.Grow(row.Payload)
	for b.Len() < row.Payload {
		for bits, n := draw.Uint64(), 0; n < 10 && b.Len() < row.Payload; bits, n = bits>>6, n+1 {
			b.WriteByte(payloadLetters[bits&63])
		}
	}
	return b.String()
}

// payload is what travels with the hop that leads to a step, "" unless the flow's file says otherwise.
func (n *node) payload(e Experiment, step Step) string {
	row, _ := n.flow.Row(step)
	return e.payload(row)
}
