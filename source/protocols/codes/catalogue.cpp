#include "protocols/codes/catalogue.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace causeway::codes {
namespace {

// Codes and names are those of https://www.iana.org/assignments/http-status-codes, without the temporary entry 104.
constexpr auto entries = std::to_array<catalogue_entry>({
    {"100", "Continue",
     "used when the server has seen the start of a request, has no objection so far and waits for the rest of it."},
    {"101", "Switching Protocols",
     "used when the server agrees to change this connection to a protocol that the client offered in its Upgrade "
     "header."},
    {"102", "Processing",
     "used when a WebDAV server wants a client to keep waiting for a slow request, although RFC 4918 has dropped it "
     "from WebDAV since."},
    {"103", "Early Hints",
     "used when the server sends some header fields ahead of its final reply, mostly links that the client can start "
     "to load."},
    {"200", "OK",
     "used when the request has succeeded, and what the reply contains depends on the method of the request."},
    {"201", "Created",
     "used when the request has made a new resource, found at the Location header's address or else at the one that "
     "was asked for."},
    {"202", "Accepted",
     "used when the server has taken the request in but not finished the work, which may yet fail or never happen."},
    {"203", "Non-Authoritative Information",
     "used when the request has succeeded but a proxy on the way has altered what the origin server sent."},
    {"204", "No Content",
     "used when the request has succeeded and the server has no content to send along with the reply."},
    {"205", "Reset Content",
     "used when the request has succeeded and the client should put its view back as it was, for example empty a form "
     "for the next entry."},
    {"206", "Partial Content",
     "used when the server sends only those parts of the data that the client picked with a Range header."},
    {"207", "Multi-Status",
     "used when one WebDAV request touched several resources and the XML in the reply gives the outcome for each."},
    {"208", "Already Reported",
     "used when a WebDAV listing meets a collection again by another path and does not list its members once more."},
    {"226", "IM Used",
     "used when the reply to a GET is not the resource itself but, say, its differences from a version that the "
     "client holds."},
    {"300", "Multiple Choices",
     "used when the resource comes in several forms, each with its own address, and the client or its user is to "
     "choose one."},
    {"301", "Moved Permanently",
     "used when the resource has a new address for good, with the flaw that a client may turn a POST into a GET on "
     "its way there."},
    {"302", "Found",
     "used when the resource is at another address for now, with the flaw that a client may turn a POST into a GET "
     "on its way there."},
    {"303", "See Other",
     "used when the client should fetch a different address with GET for its answer, as often happens after a form "
     "was sent."},
    {"304", "Not Modified",
     "used when the client asked for the resource only if it had changed, and the copy that it holds is still good."},
    {"305", "Use Proxy",
     "deprecated since it was found unsafe to let a server's reply tell the client which proxy to go through."},
    {"306", "(Unused)",
     "unused since the meaning that an earlier version of HTTP gave to it was dropped, and reserved to this day."},
    {"307", "Temporary Redirect",
     "used when the resource is at another address for now and the client must repeat the request there with the "
     "same method."},
    {"308", "Permanent Redirect",
     "used when the resource has a new address for good and the client must repeat the request there with the same "
     "method."},
    {"400", "Bad Request",
     "used when the server takes the request itself to be faulty, for example because it breaks the syntax of HTTP."},
    {"401", "Unauthorized",
     "used when the client must first prove who it is, in one of the ways that the WWW-Authenticate header lists."},
    {"402", "Payment Required",
     "reserved for future use, so HTTP gives it no meaning yet, although some services ask for money with it."},
    {"403", "Forbidden",
     "used when the server has understood the request but refuses it, perhaps because this client lacks the "
     "permission."},
    {"404", "Not Found", "used when the server has nothing at this address or will not say that it has."},
    {"405", "Method Not Allowed",
     "used when the server knows the method but this resource does not support it, and the Allow header lists those "
     "that it does."},
    {"406", "Not Acceptable",
     "used when the server has no form of the resource that fits the client's Accept headers and will not send "
     "another instead."},
    {"407", "Proxy Authentication Required",
     "used when a proxy, not the server behind it, wants the client to prove who it is before it passes the request "
     "on."},
    {"408", "Request Timeout",
     "used when the complete request did not arrive within the time that the server was prepared to wait for it."},
    {"409", "Conflict",
     "used when the request clashes with the present state of the resource, for example with someone else's newer "
     "edit."},
    {"410", "Gone", "used when the resource was once here but has been taken away, most likely for ever."},
    {"411", "Length Required",
     "used when the server insists that the request state the size of its content in a Content-Length header."},
    {"412", "Precondition Failed",
     "used when a condition that the client put into its headers, such as If-Match, turned out not to hold."},
    {"413", "Content Too Large",
     "used when the content of the request is bigger than the server is willing or able to process."},
    {"414", "URI Too Long", "used when the address in the request is longer than the server is willing to interpret."},
    {"415", "Unsupported Media Type",
     "used when the content of the request is in a format or an encoding that the resource does not support for this "
     "method."},
    {"416", "Range Not Satisfiable",
     "used when none of the ranges in the Range header lies within the data, or they are too many or overlap too "
     "much."},
    {"417", "Expectation Failed",
     "used when this server or one further along cannot do what the Expect header of the request demands."},
    {"418", "(Unused)",
     "unused by HTTP and reserved, since many servers send it for fun after RFC 2324, an April joke about a teapot "
     "asked for coffee."},
    {"421", "Misdirected Request",
     "used when the request came to a server that cannot or will not speak for the scheme and host in its address."},
    {"422", "Unprocessable Content",
     "used when the content is of a known type and well formed but its instructions cannot be carried out."},
    {"423", "Locked", "used when a WebDAV resource that the request would read from or write to is locked."},
    {"424", "Failed Dependency",
     "used when a WebDAV action was not carried out because another one that it depended on had failed."},
    {"425", "Too Early",
     "used when the request came in TLS early data and the server will not risk acting on what may be a replay."},
    {"426", "Upgrade Required",
     "used when the server refuses to serve the request until the client changes to a protocol named in the Upgrade "
     "header."},
    {"428", "Precondition Required",
     "used when the server wants a condition such as If-Match in the request, lest the client overwrite changes "
     "unseen."},
    {"429", "Too Many Requests",
     "used when the client has sent more requests within some time than the server allows it."},
    {"431", "Request Header Fields Too Large",
     "used when one header field of the request, or all of them together, is larger than the server is willing to "
     "process."},
    {"451", "Unavailable For Legal Reasons",
     "used when a legal demand, such as a court order, makes the server deny access to the resource."},
    {"500", "Internal Server Error",
     "used when something that the server did not expect keeps it from fulfilling the request."},
    {"501", "Not Implemented",
     "used when the server lacks a feature that the request needs, such as any support for its method."},
    {"502", "Bad Gateway",
     "used when a gateway or proxy passed the request on and got an invalid reply from the server behind it."},
    {"503", "Service Unavailable",
     "used when the server cannot handle the request for a while because it is overloaded or under maintenance."},
    {"504", "Gateway Timeout",
     "used when a gateway or proxy did not get a reply in time from a server that it needed for the request."},
    {"505", "HTTP Version Not Supported",
     "used when the server does not support, or refuses to support, the major version of HTTP in the request."},
    {"506", "Variant Also Negotiates",
     "used when the server is misconfigured so that the variant chosen in content negotiation would itself negotiate "
     "again."},
    {"507", "Insufficient Storage",
     "used when a WebDAV server has, for the time being, no room to store what the request would have it keep."},
    {"508", "Loop Detected",
     "used when a WebDAV server broke off an operation of infinite depth because it ran into an endless loop."},
    {"510", "Not Extended (OBSOLETED)",
     "obsolete like the experiment of RFC 2774 that it belongs to, where it meant that a request lacked extensions "
     "that it needs."},
    {"511", "Network Authentication Required",
     "used when the client must log in to the network first, as with the portal page of a public wireless network."},
});

static_assert(std::ranges::adjacent_find(entries, std::ranges::greater_equal{}, &catalogue_entry::code) ==
                  entries.end(),
              "the look-up needs ascending codes, each once");

constexpr char to_printable(char c) noexcept { return c >= 0x20 && c <= 0x7e ? c : '?'; }

} // namespace

std::span<const catalogue_entry> catalogue() noexcept { return entries; }

void append_reply(std::string_view asked, std::string& wire)
{
    wire += "Code ";
    const auto entry = std::ranges::lower_bound(entries, asked, {}, &catalogue_entry::code);
    if (entry != entries.end() && entry->code == asked) {
        wire += entry->code;
        wire += ": ";
        wire += entry->name;
        wire += ", ";
        wire += entry->use;
    } else {
        for (const char c : asked)
            wire += to_printable(c);
        wire += ": unknown, not in the registry of HTTP status codes.";
    }
    wire += '\n';
}

} // namespace causeway::codes
