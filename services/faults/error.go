package faults

import (
	"context"
	"fmt"
	"regexp"
)

// reasonForm matches reasons that can be an error.type, a problem's type and a baggage value.
var reasonForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// failure makes the step fail with a reason, before it has done anything.
func failure() kind {
	return kind{
		name:  "error",
		usage: "error=REASON: the step fails with that reason (payment_declined, out_of_stock, …)",
		check: func(value string) error {
			if !reasonForm.MatchString(value) {
				return fmt.Errorf("value %q: use a reason in lower case with underscores, such as payment_declined", value)
			}
			return nil
		},
		act: func(_ context.Context, value string) error { return &Error{Reason: value} },
	}
}
