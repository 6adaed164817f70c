package ingress

import "net/http"

// closeIfAmbiguous ends the connection behind a request that another reader, such as a proxy in front, may cut at another place:
// then what follows is never taken for a request. net/http lets a Content-Length beside the chunked coding pass, and a
// coding in HTTP/1.0, which knows none; nothing can be seen of either any more. So a connection ends after any chunked
// request, and after any of HTTP/1.0.
func closeIfAmbiguous(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0) {
		w.Header().Set("Connection", "close")
	}
}
