// Reading one HTTP request: what Causeway keeps of it, and its limits.
#pragma once

#include "http/access.hpp"
#include "http/body_reader.hpp"
#include "http/head_scanner.hpp"
#include "http/refusal.hpp"
#include "http/request_line_scanner.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::http {

namespace beast = boost::beast;

/// A line of a request's header section.
struct request_field {
    std::string name;  ///< as received
    std::string value; ///< without the white space around it
};

/// What is kept of a request.
struct request {
    beast::http::verb method = beast::http::verb::unknown; ///< `unknown` for one that Beast does not know
    std::string target;                                    ///< as received
    unsigned version = 11;                                 ///< 10 or 11
    bool keep_alive = false;                               ///< whether the client wants the connection to stay open
    std::string content_type = {};                         ///< as received; empty without one
    std::string body = {};                                 ///< empty unless the parser was told to keep it
    std::vector<request_field> fields = {};                ///< empty unless the parser was told to keep them
    std::unique_ptr<http::access> access = {};             ///< for the access log or a watcher, if there is one

    /// The value of the first field called `name`, in any case (RFC 9110 §5.1); empty if there is none.
    std::string_view field(std::string_view name) const noexcept;

    /// Where to note what becomes of it; null when nothing is to be noted.
    net::trace* trace() const noexcept { return access ? &access->trace : nullptr; }
};

enum class request_state {
    needs_more, ///< valid so far, and not complete
    complete,   ///< all of it has arrived, including the body
    refused,    ///< it gets an error, and the connection is closed
    ended,      ///< the input ended before the request did
};

enum class body_use { ignored, kept };

/// Beast's parser, in all its versions. Later ones also require a handler for the fields of a trailer, which belong to
/// bodies and so never occur here. In earlier versions it overrides nothing, and cannot be marked `override`.
class head_parser : public beast::http::basic_parser<true> {
    void on_trailer_field_impl(beast::http::field /*field*/, beast::string_view /*name*/, beast::string_view /*value*/,
                               beast::error_code& /*error*/)
    {
    }
};

/// Beast's parser for the header section, which keeps the fields that `request` has; others are checked and discarded.
/// Stricter than Beast where a message is ambiguous (RFC 9112 §11.2). One object reads one request, into an object of
/// the caller's that outlives it; so the memory of the last target is reused.
class request_parser : private head_parser {
public:
    /// Bytes in the longest header section that is accepted (431), and in the longest target in it (414).
    static constexpr std::size_t longest_head = 8 * 1024;
    static constexpr std::size_t longest_target = request_line_scanner::longest_target; ///< see above

    /// Reads into `request`, which outlives the parser, and keeps the body there if `use` says so, and the fields if
    /// `keeps_fields` does.
    explicit request_parser(request& request, body_use use = body_use::ignored, bool keeps_fields = false);

    /// Continues with the bytes of a connection, while the state is `needs_more`. `input` is everything that has
    /// arrived and was not consumed. Returns how many bytes of it are consumed now; the next call gets the rest, and
    /// what has arrived after it. However the bytes are cut, the same requests are accepted; but what is wrong with a
    /// field may be noticed only when the header section is complete, and of two faults either may be named.
    std::size_t read(std::string_view input);

    /// The state of the request. The caller's `request` is valid when it is `complete`.
    request_state state() const noexcept { return state_; }

    /// True from the first byte of the request on. One empty line before it, which some clients send after a body, is
    /// not part of it (RFC 9112 §2.2).
    bool begun() const noexcept { return begun_; }

    /// What is wrong with the request. Only when it is `refused`.
    const refusal& reason() const noexcept { return *refusal_; }

    /// True once, when the client waits for a `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    bool take_expectation() noexcept;

    /// The connection's input has ended, so a request that needs more will not be completed.
    void end() noexcept;

    /// Refuses a request that needs more for an external reason, such as a time limit.
    void refuse(refusal reason);

private:
    using error_code = beast::error_code;
    using string_view = beast::string_view;
    using optional_length = boost::optional<std::uint64_t>;

    std::size_t find_beginning(std::string_view input);
    std::size_t read_request(std::string_view input);
    std::size_t read_head(std::string_view input);
    void refuse(beast::http::status status, std::string problem, error_code& error);
    void keep(string_view name, string_view value);

    void on_request_impl(beast::http::verb method, string_view method_name, string_view target, int version,
                         error_code& error) override;
    void on_response_impl(int status, string_view reason, int version, error_code& error) override;
    void on_field_impl(beast::http::field field, string_view name, string_view value, error_code& error) override;
    void on_header_impl(error_code& error) override;
    void on_body_init_impl(const optional_length& length, error_code& error) override;
    std::size_t on_body_impl(string_view body, error_code& error) override;
    void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& error) override;
    std::size_t on_chunk_body_impl(std::uint64_t remain, string_view body, error_code& error) override;
    void on_finish_impl(error_code& error) override;

    request& request_;
    request_state state_ = request_state::needs_more;
    std::optional<refusal> refusal_;
    request_line_scanner line_;
    head_scanner scanner_;
    body_reader body_;
    std::size_t head_size_ = 0;
    std::size_t looked_at_ = 0; // bytes at the front of the input that were checked but not consumed
    const bool keeps_fields_;
    bool skipped_empty_line_ = false;
    bool begun_ = false;
    bool has_host_ = false;
    bool has_content_length_ = false;
    bool expects_continue_ = false;
    bool asks_to_close_ = false; // these two of HTTP/1.0 only
    bool asks_to_stay_ = false;
};

} // namespace causeway::http
