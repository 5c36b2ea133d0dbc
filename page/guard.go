package page

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// mostBody bounds what a request may carry.
const mostBody = 256 << 10

// policy lets a page load and call its own server only.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard refuses requests that do not come from the page itself, whoever sends them: another site in the same browser, or a name that
// somebody else's DNS points at this machine.
func (s *Server) guard(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if err := checkHost(r); err != nil {
			s.refuse(w, r, http.StatusMisdirectedRequest, err)
			return
		}
		if err := crossOrigin.Check(r); err != nil || embeds(r) {
			s.refuse(w, r, http.StatusForbidden, errors.New("the request comes from another site: only this page itself may send it"))
			return
		}
		if r.Method == http.MethodPost {
			if status, err := s.checkForm(w, r); err != nil {
				s.refuse(w, r, status, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// checkHost refuses a name that is not this machine's own, or another port: after DNS rebinding, a foreign page has the address but not the name.
func checkHost(r *http.Request) error {
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		name, port = strings.Trim(r.Host, "[]"), "80"
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return errors.New("the request came over no network")
	}
	address, own, err := net.SplitHostPort(local.String())
	if err != nil {
		return fmt.Errorf("the address of this server, %s: %w", local, err)
	}
	if !slices.Contains([]string{"127.0.0.1", "localhost", "::1", address}, strings.ToLower(name)) || port != own {
		return fmt.Errorf("the page answers at %s and localhost:%s, not at the host %q: open it there", local, own, r.Host)
	}
	return nil
}

// embeds tells whether another site loads something of the page into its own. A link to the page is welcome.
func embeds(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

// checkForm reads the form of a change, and refuses it without the token that the page gave out.
func (s *Server) checkForm(w http.ResponseWriter, r *http.Request) (status int, err error) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/x-www-form-urlencoded" {
		return http.StatusUnsupportedMediaType, errors.New("a change is sent as a form: application/x-www-form-urlencoded")
	}
	most := int64(mostBody)
	if strings.HasPrefix(r.URL.Path, "/flow") {
		most = mostFlowForm
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return http.StatusRequestEntityTooLarge, fmt.Errorf("the form is larger than %d KB: send less", most>>10)
		}
		return http.StatusBadRequest, fmt.Errorf("the form cannot be read: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(s.token)) != 1 {
		return http.StatusForbidden, errors.New("the form does not carry this page's token: the program may have been started anew since: load the page again")
	}
	return 0, nil
}
