package watch

import "tracelab/journey"

func decode(value []byte) ([]journey.Span, error) { return nil, nil }
