package tracecontext

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
)

// The limits of the Baggage specification, section 3.3.2.
const (
	maxBaggageMembers = 64
	maxBaggageBytes   = 8192
)

// Baggage propagates baggage. The zero value works and counts nothing.
//
// Extract keeps the header as text. It is parsed, and its broken members are
// counted, when the baggage is first read or sent on. Baggage that nobody
// changed is sent on byte for byte as it came.
type Baggage struct {
	// Refusals, when not nil, counts what was refused.
	Refusals *Refusals
}

var _ propagation.TextMapPropagator = Baggage{}

// Fields returns the name of the header that Inject writes.
func (Baggage) Fields() []string { return []string{baggageHeader} }

// Extract returns ctx with the baggage of carrier in the place of its own. When
// carrier has no valid baggage, ctx keeps its own. Of several members with one
// key the last counts, as in OpenTelemetry.
func (b Baggage) Extract(ctx context.Context, carrier propagation.TextMapCarrier) context.Context {
	ctx = orBackground(ctx)
	if carrier == nil {
		return ctx
	}
	return b.with(ctx, b.header(carrier))
}

// header returns the baggage of carrier as one list of at most maxBaggageBytes.
func (b Baggage) header(carrier propagation.TextMapCarrier) string {
	one, more := values(carrier, baggageHeader)
	raw, cut := joinBaggage(one, more)
	if cut {
		b.Refusals.add(BaggageBytes)
	}
	return raw
}

// with returns ctx with the baggage of the header raw, or ctx itself when raw
// is empty.
func (b Baggage) with(ctx context.Context, raw string) context.Context {
	if raw == "" {
		return ctx
	}
	if baggageKey == nil {
		return parsedBaggage(ctx, raw, b.Refusals)
	}
	return &lazyBaggage{Context: ctx, raw: raw, refusals: b.Refusals}
}

// joinBaggage returns all headers as one list. A list of more than
// maxBaggageBytes is cut between two members.
func joinBaggage(one string, more []string) (raw string, cut bool) {
	if len(more) > 0 {
		var sb strings.Builder
		for i, v := range more {
			if i > 0 {
				sb.WriteByte(',')
			}
			sb.WriteString(v[:min(len(v), maxBaggageBytes+1)])
			if sb.Len() > maxBaggageBytes {
				break
			}
		}
		one = sb.String()
	}
	if len(one) <= maxBaggageBytes {
		return one, false
	}
	end := strings.LastIndexByte(one[:maxBaggageBytes+1], ',')
	return strings.Clone(one[:max(end, 0)]), true
}

// parseBaggage parses a list of at most maxBaggageBytes. clean means that
// nothing was refused.
func (r *Refusals) parseBaggage(raw string) (bag baggage.Baggage, clean bool) {
	bag, err := baggage.Parse(raw)
	if err == nil {
		return bag, true
	}
	var kept []string
	seen := map[string]bool{}
	for m := range strings.SplitSeq(raw, ",") {
		if trimOWS(m) == "" {
			continue // a list may have empty elements (RFC 9110, section 5.6.1.2)
		}
		one, err := baggage.Parse(m)
		if err != nil {
			r.add(BaggageMember)
			continue
		}
		key := one.Members()[0].Key()
		if !seen[key] && len(seen) == maxBaggageMembers {
			r.add(BaggageMembers)
			break
		}
		seen[key] = true
		kept = append(kept, m)
	}
	bag, err = baggage.Parse(strings.Join(kept, ","))
	if err != nil {
		// A byte that was not UTF-8 has become a U+FFFD, which is longer when
		// it is percent-encoded. So the members no longer fit.
		r.add(BaggageBytes)
	}
	return bag, false
}

// Inject writes the baggage of ctx, if there is any, in the order of its keys.
// Members whose key is not a token are left out. So are members beyond the
// limits, which are counted.
func (b Baggage) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	ctx = orBackground(ctx)
	bag := baggage.FromContext(ctx)
	if bag.Len() == 0 || readOnly(carrier) {
		return
	}
	if raw, ok := unchanged(ctx, bag); ok {
		carrier.Set(baggageHeader, raw)
		return
	}
	var small [512]byte // enough for most baggage, which then needs no allocation
	out := b.appendTo(small[:0], bag)
	if len(out) == 0 {
		return
	}
	if c, ok := carrier.(spaceSetter); ok {
		copy(c.SetSpace(baggageHeader, len(out)), out)
	} else {
		carrier.Set(baggageHeader, string(out))
	}
}

// appendTo appends the header of bag to out, which must be empty.
func (b Baggage) appendTo(out []byte, bag baggage.Baggage) []byte {
	members := bag.Members()
	var few [16]entry
	entries := few[:0]
	for i := range members {
		entries = append(entries, entry{key: members[i].Key(), member: &members[i]})
	}
	slices.SortFunc(entries, func(x, y entry) int { return strings.Compare(x.key, y.key) })
	written := 0
	for _, e := range entries {
		before := len(out)
		if out = e.append(out); len(out) == before {
			continue
		}
		if len(out) > maxBaggageBytes || written == maxBaggageMembers {
			reason := BaggageBytes
			if written == maxBaggageMembers {
				reason = BaggageMembers
			}
			b.Refusals.add(reason)
			out = out[:before]
			continue
		}
		written++
	}
	return out
}

// entry is a member and its key. Sorting entries does not move the members,
// which are large.
type entry struct {
	key    string
	member *baggage.Member
}

// append appends the member, after a comma unless out is empty. It appends
// nothing when the key is not a token.
func (e entry) append(out []byte) []byte {
	if !isToken(e.key) {
		return out
	}
	if len(out) > 0 {
		out = append(out, ',')
	}
	if len(e.member.Properties()) > 0 {
		return append(out, e.member.String()...)
	}
	out = append(out, e.key...)
	out = append(out, '=')
	return appendEscaped(out, e.member.Value())
}

// characters is a set of the grammar's rules that allow a byte.
type characters uint8

const (
	token characters = 1 << iota // RFC 9110, section 5.6.2
	octet                        // baggage-octet, without the percent sign
)

var characterOf = func() (table [256]characters) {
	for c := byte('!'); c <= '~'; c++ {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		digit := '0' <= c && c <= '9'
		if letter || digit || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 {
			table[c] |= token
		}
		if strings.IndexByte(`",;\%`, c) < 0 {
			table[c] |= octet
		}
	}
	return table
}()

func isToken(s string) bool {
	for i := range len(s) {
		if characterOf[s[i]]&token == 0 {
			return false
		}
	}
	return s != ""
}

// appendEscaped appends s. It percent-encodes the percent sign and every byte
// that is not a baggage-octet.
func appendEscaped(out []byte, s string) []byte {
	const hexDigits = "0123456789ABCDEF"
	plain := 0 // up to where s is written
	for i := range len(s) {
		if c := s[i]; characterOf[c]&octet == 0 {
			out = append(out, s[plain:i]...)
			out = append(out, '%', hexDigits[c>>4], hexDigits[c&0xf])
			plain = i + 1
		}
	}
	return append(out, s[plain:]...)
}
