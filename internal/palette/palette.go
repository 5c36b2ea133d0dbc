// Package palette gives every form one color: in the dashboards, on pages and in the terminal. A reader who has learned that kafka is
// red on one of them need not learn it again on the next.
package palette

import (
	"fmt"
	"maps"
)

// Color is one color, for screens of both kinds. The zero value is no color.
type Color struct {
	Hex  string // #rrggbb, readable on white and on black
	ANSI int    // of the 256 that terminals have; the nearest one
}

// Escape returns what begins the color in a terminal, bold.
func (c Color) Escape() string { return fmt.Sprintf("\x1b[1;38;5;%dm", c.ANSI) }

// forms are the colors by form. The first six are of the set by Okabe and Ito, which people with any kind of color vision can tell apart.
var forms = map[string]Color{
	"rest":     {"#E69F00", 178},
	"grpc":     {"#0072B2", 25},
	"kafka":    {"#D55E00", 166},
	"hybrid":   {"#009E73", 36},
	"ack":      {"#56B4E9", 74},
	"reply":    {"#CC79A7", 175},
	"rabbitmq": {"#8C564B", 95},
	"chained":  {"#7F7F7F", 244},
}

// Form returns the color of a form, and false for a form that has none: flows of a person's own name theirs as they like.
func Form(name string) (Color, bool) {
	c, ok := forms[name]
	return c, ok
}

// Forms returns the colors of all forms that have one, by name.
func Forms() map[string]Color { return maps.Clone(forms) }
