package lab

// Stages of a run that Progress tells of: before the first order, and those between which its orders are placed and answered.
const (
	StageWarmUp   = "warming up"
	StagePlacing  = "placing orders"
	StageSettling = "waiting for the last piece of work"
)

// Progress is how far a run has come.
type Progress struct {
	Stage    string // what is being done, in words
	Answered int    // orders that have their answer
	Orders   int
}
