package experiments

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/lab/rundir"
)

// Schema names the JSON of a ledger.
const Schema = "tracelab.claims/v1"

// LedgerFile is the ledger in the folder of the results.
const LedgerFile = "claims.json"

// Ledger is the verdicts of one session, and where their figures come from.
type Ledger struct {
	Schema    string         `json:"schema"`
	Dir       string         `json:"dir"`
	Began     time.Time      `json:"began"`
	Seed      uint64         `json:"seed"`
	Version   string         `json:"version"`
	Go        string         `json:"go"`
	Broker    string         `json:"broker"` // embedded, the addresses of a real one, or "of the target"
	BrokerIs  string         `json:"broker_is"`
	Machine   rundir.Machine `json:"machine"`
	Constants *Constants     `json:"constants,omitempty"`
	Claims    []Report       `json:"claims"`
}

func (s *session) newLedger() *Ledger {
	l := &Ledger{Schema: Schema, Dir: s.dir, Began: time.Now().UTC().Truncate(time.Second), Seed: s.Seed, Version: s.Version, Broker: "embedded", Claims: []Report{}}
	switch {
	case s.Target != "":
		l.Broker = "of the target"
	case len(s.Kafka) > 0:
		l.Broker = strings.Join(s.Kafka, ",")
	}
	return l
}

// learn takes from the first run that there is where figures come from.
func (l *Ledger) learn(used []*Ran) {
	if len(used) == 0 || l.Go != "" {
		return
	}
	p := used[0].Result.Provenance
	l.Go, l.Machine, l.Broker, l.BrokerIs = p.Go, p.Machine, p.Broker, p.BrokerIs
}

// WriteJSON writes the ledger.
func (l *Ledger) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	return encoder.Encode(l)
}

// save writes the ledger into the folder of the results.
func (l *Ledger) save(dir string) error {
	file, err := os.Create(filepath.Join(dir, LedgerFile))
	if err != nil {
		return err
	}
	if err := json.NewEncoder(file).Encode(l); err != nil { // without indents, since a record is kept in a repository
		_ = file.Close() // the first error is the one to tell
		return err
	}
	return file.Close()
}

// ReadLedger reads a recorded ledger and judges its figures again.
func ReadLedger(file string) (*Ledger, error) {
	return readLedger(os.DirFS(filepath.Dir(file)), filepath.Base(file))
}

func readLedger(dir fs.FS, file string) (*Ledger, error) {
	text, err := fs.ReadFile(dir, file)
	if err != nil {
		return nil, err
	}
	var l Ledger
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if l.Schema != Schema {
		return nil, fmt.Errorf("%s has schema %q, this program reads %s", file, l.Schema, Schema)
	}
	all := All()
	for i := range l.Claims {
		r := &l.Claims[i]
		at := slices.IndexFunc(all, func(c Claim) bool { return c.Name == r.Name })
		if at < 0 {
			return nil, fmt.Errorf("%s: no claim %q: record it again", file, r.Name)
		}
		r.Statement, r.Rule, r.Delta = all[at].Statement, all[at].Rule, all[at].Delta
		r.Gates = slices.DeleteFunc(r.Gates, func(g verdict.Gate) bool { return g.Name == judgeable })
		r.conclude(all[at])
	}
	return &l, nil
}

// Correct takes verdicts back that are there by chance, since some of so many intervals miss.
func (l *Ledger) Correct() {
	verdicts := make([]verdict.Verdict, len(l.Claims))
	for i, r := range l.Claims {
		verdicts[i] = r.verdict
	}
	for i, v := range verdict.Correct(verdicts) {
		l.Claims[i].say(v)
	}
}
