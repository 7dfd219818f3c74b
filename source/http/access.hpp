// What the access log says of a request, and who is told.
#pragma once

#include "net/clock.hpp"
#include "net/trace.hpp"

#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace causeway::http {

/// One request, from its first byte to what became of its answer. Made for each request while there is an access log.
struct access {
    std::string id;          ///< goes by this in the answer too; letters, digits, and ._- only
    std::string_view method; ///< a token; empty: the request line did not come whole, and the next two say nothing
    std::string target;      ///< as it came
    unsigned version = 0;    ///< 10 or 11

    unsigned status = 0;   ///< of its answer
    std::size_t bytes = 0; ///< of the answer's body
    bool sent = false;     ///< the kernel has taken the whole answer

    clock::time_point began_at; ///< its first byte was there
    clock::time_point ended_at; ///< the answer was sent, or given up
    net::trace trace;           ///< what happened between the two, from the last byte on, or what it was refused for

    /// A client's own X-Request-Id has this many characters at most.
    static constexpr std::size_t longest_id = 64;

    /// Like new, with the memory of the last request.
    void restart();

    /// More of the request is there.
    void came(clock::time_point now);

    /// The request line has come: `known` is its method, or `unknown`; `text` is what it said.
    void set_method(boost::beast::http::verb known, std::string_view text);

    /// The client calls the request `value`. It is called so from now on if that is up to `longest_id` letters, digits,
    /// and ._- and the only one that is offered: so nothing else gets into the answer's head or the log.
    void offer_id(std::string_view value);

private:
    std::string unknown_method_; // the memory of `method` if that is no known one
    bool was_offered_id_ = false;
};

/// Logs requests. Belongs to one event loop; every call is made on its thread.
class access_recorder {
public:
    /// Puts into `id`, which is empty, one that no other request has.
    virtual void make_id(std::string& id) = 0;

    /// `access` is complete. `peer` is the address of its client.
    virtual void record(const access& access, std::string_view peer) = 0;

    /// To be called a few times a second, so that no line has to wait long for the next ones.
    virtual void sweep() = 0;

protected:
    ~access_recorder() = default;
};

} // namespace causeway::http
