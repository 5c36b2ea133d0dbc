package lint_test

import (
	"fmt"
	"strings"

	"tracelab/journey"
)

var otherCases = []ruleCase{
	{rule: "H01", why: "a route", drawing: "root SERVER 0-9 http.request.method=GET http.route=/orders/{id} span.name=GET_/orders/{id}"},
	{rule: "H01", why: "none", drawing: "root SERVER 0-9 http.request.method=GET", want: "H01"},
	{rule: "H01", why: "none, by the method's old name", drawing: "root SERVER 0-9 http.method=GET", want: "H01"},
	{rule: "H01", why: "not found: there is none", drawing: "root SERVER 0-9 http.request.method=GET http.response.status_code=404"},
	{rule: "H01", why: "a number in the name", drawing: "root CLIENT 0-9 http.request.method=GET span.name=GET_/orders/4711", want: "H01"},
	{rule: "H01", why: "a UUID in the name", drawing: "root CLIENT 0-9 http.request.method=GET span.name=GET_/orders/01a1fd8d-2eb5-7bb9-b883-cc6a982dce77", want: "H01"},
	{rule: "H01", why: "versions and words with digits are no ids", drawing: "root CLIENT 0-9 http.request.method=GET span.name=GET_/api/v2/oauth2/sha256"},
	{rule: "H01", why: "not HTTP", drawing: "root SERVER 0-9 rpc.method=Get"},

	{rule: "N01", why: "many journeys, few names", drawing: many(60, func(k int) string { return fmt.Sprintf("work_%c", 'a'+k%26) })},
	{rule: "N01", why: "a name for each journey", drawing: many(6, func(k int) string { return fmt.Sprintf("order_%d", k) }), want: "N01"},
	{rule: "N01", why: "four are no evidence", drawing: many(4, func(k int) string { return fmt.Sprintf("order_%d", k) })},
	{rule: "N01", why: "six different names without an id are no evidence", drawing: many(6, word)},
	{rule: "N01", why: "sixty are", drawing: many(60, word), want: "N01"},
	{rule: "N01", why: "an attribute that should have few values", drawing: strings.ReplaceAll(many(6, func(int) string { return "x" }), "span.name=x", "span.name=x rpc.method=order-NUMBER"), edit: numbered, want: "N01"},
	{rule: "N01", why: "an attribute that may have many", drawing: strings.ReplaceAll(many(6, func(int) string { return "x" }), "span.name=x", "span.name=x order.id=NUMBER"), edit: numbered},
	{rule: "N01", why: "each id is there in many journeys", drawing: many(60, func(k int) string { return fmt.Sprintf("shard_%d", k%8) })},
	{rule: "N01", why: "five are new, and most are not", drawing: many(60, func(k int) string { return fmt.Sprintf("shard_%d", max(k%8, 100*(k-54))) })},
}

// many draws journeys with one span each.
func many(n int, name func(int) string) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, "r%d 0-9 service=s trace=%d span.name=%s\n", k, k+1, name(k))
	}
	return b.String()
}

// word makes words without digits.
func word(k int) string { return "name" + strings.Repeat("x", k%10) + strings.Repeat("y", k/10) }

// numbered puts the number of the span in the place of NUMBER.
func numbered(find func(string) span) {
	for k := range 6 {
		for i := range find(fmt.Sprintf("r%d", k)).Attributes {
			a := &find(fmt.Sprintf("r%d", k)).Attributes[i]
			a.Value = journey.StringValue(strings.ReplaceAll(a.Value.String(), "NUMBER", fmt.Sprint(k)))
		}
	}
}
