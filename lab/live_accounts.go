package lab

import "tracelab/services"

// liveSums keeps the accounts of a lab that stays up as counters, so that they hold for all units, also for those that are not kept. It remembers of
// the newest units what the client was told and what the service of the entry step says, for as long as that may change. The judge's lock guards it.
type liveSums struct {
	forms map[services.Form]*formSums
	told  map[orderKey]*toldUnit
	byAge []orderKey
	limit int // of told units

	era    int // instances of the service of the entry step so far, less one
	orders services.OrdersInstance
}

// formSums counts the units of a form.
type formSums struct {
	placed, answered, errors, unanswered int
	refused, unknown                     int
	known                                int // the client was given an id, or their state was read
	completed, failed                    int // by the state that was read
	before                               services.Accounts
	now                                  services.Accounts // of the instance that answers
	lost                                 int
	forgotten                            int // here, before their state was read
}

// toldUnit is what is known of one unit.
type toldUnit struct {
	answered bool
	unknown  bool // it counts as unknown until its state is read, else as refused: no answer came, or the call was cut off and who may know has forgotten
	cutOff   bool // its call was, when it may have been sent
	known    bool
	status   services.Status
	placed   int // era
	era      int // of the status
}

func newLiveSums(forms []services.Form, limit int) *liveSums {
	s := &liveSums{forms: map[services.Form]*formSums{}, told: map[orderKey]*toldUnit{}, limit: limit}
	for _, form := range forms {
		s.forms[form] = &formSums{}
	}
	return s
}

// placing remembers a unit that is being placed.
func (s *liveSums) placing(key orderKey) {
	s.told[key] = &toldUnit{placed: s.era}
	s.byAge = append(s.byAge, key)
	for range len(s.byAge) { // a unit whose client still waits is not forgotten
		if len(s.byAge) <= s.limit {
			return
		}
		oldest := s.byAge[0]
		s.byAge[0] = orderKey{}
		s.byAge = s.byAge[1:]
		if !s.told[oldest].answered {
			s.byAge = append(s.byAge, oldest)
			continue
		}
		s.forget(oldest)
	}
}

// forget forgets a unit, and counts it when its state was never read.
func (s *liveSums) forget(key orderKey) {
	if !s.told[key].known {
		s.forms[key.form].forgotten++
	}
	delete(s.told, key)
}

// answered counts what the client was told of a unit.
func (s *liveSums) answered(o order) {
	key := orderKey{services.Form(o.Form), o.Number}
	sums, u := s.forms[key.form], s.told[key]
	if u == nil { // only a unit that was never placed here
		u = &toldUnit{placed: s.era}
	}
	u.answered, u.cutOff = true, o.cutOff()
	sums.placed++
	switch {
	case o.Answered():
		sums.answered++
	case o.Status != 0:
		sums.errors++
	default:
		sums.unanswered++
	}
	switch {
	case u.known:
	case o.ID != "":
		u.known = true
		sums.known++
	case o.Status == 0, u.cutOff && u.placed < s.era:
		u.unknown = true
		sums.unknown++
	default:
		sums.refused++
	}
}

// know takes what the service of the entry step says of a unit. It may be told of one unit many times.
func (s *liveSums) know(state services.State) {
	sums, u := s.forms[state.Form], s.told[orderKey{state.Form, state.Number}]
	if sums == nil || u == nil || u.status == state.Status && u.era == s.era {
		return
	}
	if !u.known {
		u.known = true
		sums.known++
		switch {
		case u.unknown:
			sums.unknown--
		case u.answered:
			sums.refused--
		}
	}
	sums.count(u.status, -1)
	if u.era != s.era { // an earlier instance had it, too: it counts once
		sums.before.Accepted -= final(u.status)
		sums.before.Completed -= one(u.status == services.Completed)
		sums.before.Failed -= one(u.status == services.Failed)
	}
	u.status, u.era = state.Status, s.era
	sums.count(u.status, 1)
}

func (f *formSums) count(status services.Status, by int) {
	f.completed += by * one(status == services.Completed)
	f.failed += by * one(status == services.Failed)
}

func final(status services.Status) int {
	return one(status == services.Completed || status == services.Failed)
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// restarted begins the accounts of another instance: of the one before, what was read stays.
func (s *liveSums) restarted(now services.OrdersInstance) bool {
	again := s.orders.Instance != "" && s.orders.Instance != now.Instance
	s.orders = now
	if !again {
		return false
	}
	s.era++
	for _, f := range s.forms {
		effects := addEffects(f.before.Effects, f.now.Effects)
		f.before = services.Accounts{Accepted: f.completed + f.failed, Completed: f.completed, Failed: f.failed, Effects: effects,
			Retried: f.before.Retried + f.now.Retried, DeadLetters: f.before.DeadLetters + f.now.DeadLetters, BegunAnew: f.before.BegunAnew + f.now.BegunAnew}
		f.now = services.Accounts{}
	}
	s.forgetful()
	return true
}

// forgetful notes that the instance is gone that could say of a unit whose call was cut off that it has none such: it counts as unknown, no longer as refused.
func (s *liveSums) forgetful() {
	for key, u := range s.told {
		if u.answered && u.cutOff && !u.known && !u.unknown {
			u.unknown = true
			s.forms[key.form].refused--
			s.forms[key.form].unknown++
		}
	}
}

func addEffects(a, b map[services.Step]services.Effect) map[services.Step]services.Effect {
	sum := map[services.Step]services.Effect{}
	for _, effects := range []map[services.Step]services.Effect{a, b} {
		for step, e := range effects {
			was := sum[step]
			sum[step] = services.Effect{Once: was.Once + e.Once, Skipped: was.Skipped + e.Skipped, Twice: was.Twice + e.Twice}
		}
	}
	return sum
}

// knownUnits is how many units of each form are known to have been accepted, by any instance.
func (s *liveSums) knownUnits() map[services.Form]int {
	known := map[services.Form]int{}
	for form, f := range s.forms {
		known[form] = f.known
	}
	return known
}

// read takes the sums of the instance that answers. Known are the units that were known before it was asked: what it does not have of them is lost.
func (s *liveSums) read(summary services.Summary, known map[services.Form]int) {
	s.orders = summary.Orders
	for form, f := range s.forms {
		f.now = summary.Forms[form]
		if s.era > 0 {
			f.lost = max(0, known[form]-f.before.Accepted-f.now.Accepted)
		}
	}
}

// unread is how many units were accepted, and were forgotten before that was read, here or by the service of the entry step: what that counts and nobody
// here knows is as many of those without a state, first of the ones whose clients were told nothing. It is right when the lab is at rest. What cannot be
// forgotten is not among them, so that a unit that was accepted twice shows.
func (f *formSums) unread() (unknown, refused int) {
	n := max(0, f.before.Accepted+f.now.Accepted+f.lost-f.known)
	n = min(n, f.forgotten+f.now.Forgotten)
	unknown = min(n, f.unknown)
	return unknown, min(n-unknown, f.refused)
}

// accounts are those of one form.
func (f *formSums) accounts() Accounts {
	unknown, refused := f.unread()
	return Accounts{
		Placed: f.placed, Accepted: f.before.Accepted + f.now.Accepted, Refused: f.refused - refused, Unknown: f.unknown - unknown,
		Completed: f.before.Completed + f.now.Completed, Failed: f.before.Failed + f.now.Failed, Pending: f.now.Pending, PendingLost: f.now.Lost,
		Answered: f.answered, Errors: f.errors, Unanswered: f.unanswered, Lost: f.lost,
	}
}

// stuck tells whether nobody goes on with any of the pending units.
func (f *formSums) stuck() bool { return f.now.Pending > 0 && f.now.Pending == f.now.Lost }

// effects sums up how the steps of a form were handled.
func (f *formSums) effects() Effects { return sumEffects(f.effectsOf()) }

// effectsOf says how each step was handled.
func (f *formSums) effectsOf() map[services.Step]services.Effect {
	return addEffects(f.before.Effects, f.now.Effects)
}

// lostUnits is how many units of all forms are lost.
func (s *liveSums) lostUnits() (n int) {
	for _, f := range s.forms {
		n += f.lost
	}
	return n
}
