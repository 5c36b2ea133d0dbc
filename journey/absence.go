package journey

import "strconv"

// Absence says why a span to which others refer is not in a set.
type Absence uint8

// The absences.
const (
	AbsenceUnknown    Absence = iota // no store was asked, or the span is there
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
