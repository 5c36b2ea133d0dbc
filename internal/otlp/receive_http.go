package otlp

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func (r *Receiver) newHTTPServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+tracesPath, r.export)
	return &http.Server{Handler: mux, ReadHeaderTimeout: r.timeouts.read / 2, ReadTimeout: r.timeouts.read, WriteTimeout: 2 * r.timeouts.read,
		IdleTimeout: r.timeouts.idle, MaxHeaderBytes: maxHeaders, ErrorLog: slog.NewLogLogger(r.config.Logger.Handler(), slog.LevelDebug)}
}

// export takes spans over HTTP.
func (r *Receiver) export(w http.ResponseWriter, req *http.Request) {
	response := ptraceotlp.NewExportResponse()
	media, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	take, answer := r.takeProtobuf, response.MarshalProto
	switch media {
	case "application/x-protobuf":
	case "application/json":
		take, answer = r.takeJSON, response.MarshalJSON
	default:
		http.Error(w, "send application/x-protobuf or application/json", http.StatusUnsupportedMediaType)
		return
	}
	release, err := r.acquire(req.Context(), r.reading)
	if err != nil {
		refuse(w, err)
		return
	}
	defer release()
	body, err := readExport(w, req)
	if err == nil {
		err = take(req.Context(), body)
	}
	var out []byte
	if err == nil {
		out, err = answer()
	}
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", media)
	_, _ = w.Write(out) // an exporter that has gone needs no answer
}

func refuse(w http.ResponseWriter, err error) {
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if refused.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(refused.retry.Seconds())))
	}
	http.Error(w, err.Error(), refused.http)
}

// readExport reads the body of an export request, compressed or not. More than maxBody bytes are an error in both forms: a
// truncated body could pass for a whole one.
func readExport(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	plain := io.Reader(http.MaxBytesReader(w, req.Body, maxBody))
	switch encoding := req.Header.Get("Content-Encoding"); strings.ToLower(encoding) { // RFC 9110, 8.4.1: in any case
	case "", "identity":
	case "gzip":
		var err error
		if plain, err = gzip.NewReader(plain); err != nil {
			return nil, invalid("the body is not gzip: %w", err)
		}
	default:
		return nil, &refusal{http: http.StatusUnsupportedMediaType, err: fmt.Errorf("content encoding %q: send gzip, or none", encoding)}
	}
	body, err := io.ReadAll(io.LimitReader(plain, maxBody+1))
	if _, exceeded := errors.AsType[*http.MaxBytesError](err); exceeded || len(body) > maxBody {
		return nil, tooLarge("the body is larger than %d bytes: send fewer spans at a time", maxBody)
	}
	if err != nil {
		return nil, invalid("the body cannot be read: %w", err)
	}
	return body, nil
}
