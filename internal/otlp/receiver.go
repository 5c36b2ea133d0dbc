package otlp

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // exporters may compress
)

// maxExport is the size of an export request, in bytes, compressed or not.
const maxExport = 16 << 20

// ReceiverConfig says where a receiver listens and what it does with spans.
type ReceiverConfig struct {
	Address string             // host:port for gRPC; HTTP takes the port behind it, and any free ports when it is 0
	Keep    func(batch []byte) // takes the spans of one request, as OTLP protobuf; called by many goroutines
	Logger  *slog.Logger
}

// Receiver is an OTLP endpoint for spans, gRPC and HTTP (protobuf and JSON).
type Receiver struct {
	keep      func(batch []byte)
	grpc      *grpc.Server
	http      *http.Server
	addresses [2]string
	serving   errgroup.Group
}

// StartReceiver listens for gRPC and for HTTP.
func StartReceiver(c ReceiverConfig) (*Receiver, error) {
	address := c.Address
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("otlp receiver: address %q: use host:port, such as 127.0.0.1:4317: %w", address, err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("otlp receiver: port %q is no number: use host:port, such as 127.0.0.1:4317", port)
	}
	behind := 0
	if number != 0 {
		behind = number + 1
	}
	overGRPC, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("otlp receiver cannot listen on %s: choose another address with --receive-otlp: %w", address, err)
	}
	overHTTP, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(behind)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("otlp receiver cannot listen for http on the port behind %s: choose another address with --receive-otlp: %w", address, err), overGRPC.Close())
	}
	r := &Receiver{keep: c.Keep, addresses: [2]string{overGRPC.Addr().String(), overHTTP.Addr().String()}}
	r.grpc = grpc.NewServer(grpc.MaxRecvMsgSize(maxExport), grpc.ConnectionTimeout(5*time.Second))
	ptraceotlp.RegisterGRPCServer(r.grpc, &grpcEndpoint{r: r})
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+tracesPath, r.export)
	r.http = &http.Server{Handler: mux, ReadHeaderTimeout: 2 * time.Second, ReadTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug)}
	r.serving.Go(func() error {
		if err := r.grpc.Serve(overGRPC); !errors.Is(err, grpc.ErrServerStopped) { // closed before it had begun
			return err
		}
		return nil
	})
	r.serving.Go(func() error {
		if err := r.http.Serve(overHTTP); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return r, nil
}

// Addresses are host:port for gRPC and for HTTP.
func (r *Receiver) Addresses() (overGRPC, overHTTP string) { return r.addresses[0], r.addresses[1] }

// Close finishes the requests under way, for as long as the context lasts.
func (r *Receiver) Close(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() { r.grpc.GracefulStop(); close(stopped) }()
	err := r.http.Shutdown(ctx)
	select {
	case <-stopped:
	case <-ctx.Done():
		r.grpc.Stop()
		<-stopped
	}
	return errors.Join(err, r.serving.Wait())
}

func (r *Receiver) take(request ptraceotlp.ExportRequest) error {
	batch, err := request.MarshalProto()
	if err != nil {
		return fmt.Errorf("keep spans: %w", err)
	}
	r.keep(batch)
	return nil
}

// grpcEndpoint is the gRPC half.
type grpcEndpoint struct {
	ptraceotlp.UnimplementedGRPCServer
	r *Receiver
}

// Export takes spans over gRPC.
func (e *grpcEndpoint) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	return ptraceotlp.NewExportResponse(), e.r.take(request)
}

// export takes spans over HTTP.
func (r *Receiver) export(w http.ResponseWriter, req *http.Request) {
	raw, status, err := readExport(w, req)
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	request, response := ptraceotlp.NewExportRequest(), ptraceotlp.NewExportResponse()
	media, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	read, answer := request.UnmarshalProto, response.MarshalProto
	switch media {
	case "application/x-protobuf":
	case "application/json":
		read, answer = request.UnmarshalJSON, response.MarshalJSON
	default:
		http.Error(w, "send application/x-protobuf or application/json", http.StatusUnsupportedMediaType)
		return
	}
	if err := read(raw); err != nil {
		http.Error(w, "the body is no OTLP export request: "+err.Error(), http.StatusBadRequest)
		return
	}
	if err := r.take(request); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out, err := answer()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", media)
	_, _ = w.Write(out) // the exporter may have gone
}

// readExport reads the body of an export request, zipped or not, or says which status the error has. More than
// maxExport bytes are an error in both forms: a body that is cut off could pass for a shorter one.
func readExport(w http.ResponseWriter, req *http.Request) (body []byte, status int, err error) {
	plain := io.Reader(http.MaxBytesReader(w, req.Body, maxExport))
	switch encoding := req.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		if plain, err = gzip.NewReader(plain); err != nil {
			return nil, http.StatusBadRequest, fmt.Errorf("the body is not gzip: %w", err)
		}
	default:
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("content encoding %q: send gzip, or none", encoding)
	}
	body, err = io.ReadAll(io.LimitReader(plain, maxExport+1))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || len(body) > maxExport {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes: send fewer spans at a time", maxExport)
	}
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("the body cannot be read: %w", err)
	}
	return body, http.StatusOK, nil
}
