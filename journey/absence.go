package journey

import "strconv"

// Absence is what is known about a span that others refer to and that is not in a set.
type Absence uint8

// What a question for a span may come to.
const (
	AbsenceUnknown    Absence = iota // nobody was asked, or the span is there
	AbsenceNotFetched                // it may be stored, but was not fetched
	AbsenceNotStored                 // the store was asked, and does not have it
)

// String returns the absence in words.
func (a Absence) String() string {
	names := [...]string{"not asked", "not fetched", "not stored"}
	if int(a) < len(names) {
		return names[a]
	}
	return "absence(" + strconv.Itoa(int(a)) + ")"
}
