// Package palette gives every form one color, the same in the dashboards, on pages and in the terminal.
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

// Form returns the color of a form, and false for one that has none: a flow of one's own may name its forms as it likes.
func Form(name string) (Color, bool) {
	c, ok := forms[name]
	return c, ok
}

// Forms returns the colors of all forms that have one, by name.
func Forms() map[string]Color { return maps.Clone(forms) }
