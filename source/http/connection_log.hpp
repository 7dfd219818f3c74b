// What a connection reports to the access log.
#pragma once

#include "http/access.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/connection.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::http {

/// Ensures that each request that gets an answer is recorded once: when the answer has been sent, or else when the
/// connection ends. Without a recorder it does nothing. Belongs to one event loop; every call is made on its thread.
class connection_log {
public:
    /// `recorder`, which may be null and may change, its target, and `connection` outlive it. `number` is that of the
    /// connection, among all that the server has accepted.
    connection_log(access_recorder* const& recorder, const net::connection& connection, std::uint64_t number)
        : recorder_(recorder)
        , connection_(connection)
        , number_(number)
    {
    }

    /// Records the requests whose answer was not sent.
    ~connection_log() { record(false); }
    connection_log(const connection_log&) = delete;
    connection_log& operator=(const connection_log&) = delete;

    /// The reading of `request` begins.
    void begin(request& request)
    {
        if (recorder_ != nullptr || request.access)
            prepare(request);
    }

    /// More of it has arrived.
    static void came(request& request)
    {
        if (request.access)
            request.access->came(clock::now());
    }

    /// It is being answered, without the body if `head_only`. Takes its `access`, which must not be null, and its
    /// target. Returns the id to answer with, which is valid until `sent`.
    std::string_view answered(request& request, const response& response, bool head_only);

    /// All answers have been sent.
    void sent()
    {
        if (!unsent_.empty())
            record(true);
    }

private:
    void prepare(request& request);
    void record(bool sent);

    access_recorder* const& recorder_;
    const net::connection& connection_;
    const std::uint64_t number_;
    std::string peer_;
    std::vector<std::unique_ptr<access>> unsent_; // requests that are being answered
    std::unique_ptr<access> spare_;               // for the next request
};

} // namespace causeway::http
