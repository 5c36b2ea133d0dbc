package source

import (
	"encoding/json"
	"slices"

	"tracelab/journey"
)

// jaegerWarnings is the attribute with the warnings of Jaeger's api/v3 about a span: a list of strings.
const jaegerWarnings = "@jaeger@warnings"

// liftWarnings moves Jaeger's warnings from the attributes to the field for them.
func liftWarnings(s *journey.Span) {
	for i := range s.Attributes {
		if s.Attributes[i].Key != jaegerWarnings {
			continue
		}
		text := s.Attributes[i].Value.String()
		if s.Attributes[i].Value.Kind() != journey.ValueJSON || json.Unmarshal([]byte(text), &s.Warnings) != nil {
			s.Warnings = []string{text}
		}
		s.Attributes = slices.Delete(s.Attributes, i, i+1)
		return
	}
}
