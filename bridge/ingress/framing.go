package ingress

import "net/http"

// closeIfAmbiguous closes the connection after a request whose end another parser, such as a proxy, may see elsewhere,
// so that what follows is never parsed as a request (request smuggling). net/http accepts Content-Length together with
// chunked coding, and codings in HTTP/1.0, and the request does not show it. So the connection closes after any
// chunked request, and after any of HTTP/1.0.
func closeIfAmbiguous(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0) {
		w.Header().Set("Connection", "close")
	}
}
