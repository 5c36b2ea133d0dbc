package source

import (
	"encoding/json"
	"slices"

	"tracelab/journey"
)

// jaegerWarnings is the attribute in which Jaeger's api/v3 tells what it has to say about a span: a list of strings.
const jaegerWarnings = "@jaeger@warnings"

// liftWarnings moves what Jaeger has to say from the attributes to the field for it.
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
