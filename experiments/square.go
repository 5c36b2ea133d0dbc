package experiments

import "tracelab/experiments/verdict"

// square estimates what the early answer and the broker change of a measure, order by order.
func (f Figures) square(measure string) (verdict.Effects, error) {
	_, forms, err := cornerForms()
	if err != nil {
		return verdict.Effects{}, err
	}
	var arms []string
	for _, form := range forms {
		arms = append(arms, string(form))
	}
	values, err := f.Paired(measure, arms...)
	if err != nil {
		return verdict.Effects{}, err
	}
	return verdict.Corners{CallsDone: values[0], CallsEarly: values[1], MessagesDone: values[2], MessagesEarly: values[3]}.Effects()
}

// besideSquare shows the interaction, and main effects where it allows to speak of them.
func besideSquare(e verdict.Effects, delta float64) []verdict.Part {
	parts := []verdict.Part{{Name: "interaction, ms", Estimate: e.Interaction}}
	if early, broker, ok := e.Main(delta); ok {
		parts = append(parts, verdict.Part{Name: "early answer, in all, ms", Estimate: early}, verdict.Part{Name: "broker, in all, ms", Estimate: broker})
	}
	return parts
}
