package page

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestRefusedRequests sends what only others than the page itself would send. Nothing of it reaches the lab, which is not even there.
func TestRefusedRequests(t *testing.T) {
	b := serve(t, nil)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(b.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	token := url.Values{"token": {b.server.token}}.Encode()
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		says               string
	}{
		"foreign host":        {"GET", "/", "", []string{"Host: evil.example:" + port}, 421, "not at the host"},
		"rebound host, POST":  {"POST", "/place", token, []string{"Host: evil.example:" + port, "Origin: http://evil.example:" + port}, 421, "not at the host"},
		"host in an address":  {"GET", "/", "", []string{"Host: 127.0.0.1.evil.example:" + port}, 421, "not at the host"},
		"another port":        {"GET", "/", "", []string{"Host: 127.0.0.1:1"}, 421, "not at the host"},
		"no port":             {"GET", "/", "", []string{"Host: localhost"}, 421, "not at the host"},
		"cross-site":          {"POST", "/place", token, []string{"Sec-Fetch-Site: cross-site"}, 403, "another site"},
		"another port's site": {"POST", "/place", token, []string{"Sec-Fetch-Site: same-site"}, 403, "another site"},
		"foreign origin":      {"POST", "/place", token, []string{"Origin: http://evil.example"}, 403, "another site"},
		"opaque origin":       {"POST", "/place", token, []string{"Origin: null"}, 403, "another site"},
		"embedded stream":     {"GET", "/events?page=/", "", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}, 403, "another site"},
		"no token":            {"POST", "/place", "form=grpc", nil, 403, "token"},
		"wrong token":         {"POST", "/place", "token=" + strings.Repeat("A", 26), nil, 403, "token"},
		"token in the URL":    {"POST", "/place?" + token, "form=grpc", nil, 403, "token"},
		"oversize":            {"POST", "/place", token + "&x=" + strings.Repeat("x", mostBody), nil, 413, "larger than 256 KB"},
		"broken form":         {"POST", "/place", token + "&%zz", nil, 400, "cannot be read"},
		"JSON":                {"POST", "/place", "{}", []string{"Content-Type: application/json"}, 415, "as a form"},
		"GET on a POST route": {"GET", "/place", "", nil, 405, "takes POST only"},
		"POST on a page":      {"POST", "/live", token, nil, 405, "takes GET only"},
		"DELETE":              {"DELETE", "/live", "", nil, 405, "takes GET only"},
		"no such page":        {"GET", "/nowhere/%3Cscript%3E", "", nil, 404, "no such page"},
		"no such file":        {"GET", "/static/", "", nil, 404, "no file"},
		"before the lab":      {"POST", "/place", token + "&form=grpc", nil, 503, "not ready"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, text := b.send(c.method, c.path, c.body, c.headers...)
			if answer.StatusCode != c.status || !strings.Contains(text, c.says) {
				t.Errorf("%d %s\nwant %d with %q", answer.StatusCode, text, c.status, c.says)
			}
			if strings.Contains(text, b.server.token) || strings.Contains(text, "<script>") {
				t.Errorf("the answer gives the token or unescaped text away: %s", text)
			}
		})
	}
}

// TestWelcomeRequests sends what the page's own browser sends, and links of others to it.
func TestWelcomeRequests(t *testing.T) {
	b := serve(t, nil)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(b.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, headers := range [][]string{
		{"Host: localhost:" + port}, {"Host: LOCALHOST:" + port}, {"Host: [::1]:" + port}, {"Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"},
		{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"}, {"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors"},
	} {
		answer, text := b.send(http.MethodGet, "/", "", headers...)
		if answer.StatusCode != http.StatusOK || !strings.Contains(text, "The lab is starting") {
			t.Errorf("%q: %d %s", headers, answer.StatusCode, text)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	for _, file := range []string{"page.js", "style.css", "icon.svg"} {
		b.get("/static/" + file)
	}
}

// TestHostIsTheAddressOfTheConnection: any address of the loopback may be listened at, and the page answers where the program says that it is.
func TestHostIsTheAddressOfTheConnection(t *testing.T) {
	for _, c := range []struct {
		local net.TCPAddr
		host  string
		wrong string // the error has it; "": there is none
	}{
		{net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 8080}, "127.0.0.2:8080", ""},
		{net.TCPAddr{IP: net.IPv6loopback, Port: 8080}, "[::1]:8080", ""},
		{net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 8080}, "127.0.0.3:8080", "answers at 127.0.0.2:8080 and localhost:8080"},
		{net.TCPAddr{IP: net.IPv6loopback, Port: 8080}, "evil.example:8080", "answers at [::1]:8080"},
	} {
		r := httptest.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(&c.local)), http.MethodGet, "/", nil)
		r.Host = c.host
		if err := checkHost(r); (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s at %v: %v", c.host, &c.local, err)
		}
	}
}
