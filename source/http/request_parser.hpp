// Reading one HTTP request: what Causeway keeps of it, and how much it accepts.
#pragma once

#include "http/head_scanner.hpp"
#include "http/ignored_body.hpp"
#include "http/refusal.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::http {

namespace beast = boost::beast;

/// What is kept of a request; nothing here needs the other fields.
struct request {
    beast::http::verb method = beast::http::verb::unknown;
    std::string target;
    unsigned version = 11; ///< 10 or 11
    bool keep_alive = false;
};

/// Beast's parser, in all its versions. Later ones ask for fields of a trailer to be handled too, which belong to
/// bodies and so never come here. In earlier ones that overrides nothing, and cannot be marked as if it did.
class head_parser : public beast::http::basic_parser<true> {
    void on_trailer_field_impl(beast::http::field /*field*/, beast::string_view /*name*/, beast::string_view /*value*/,
                               beast::error_code& /*error*/)
    {
    }
};

/// Beast's parser for the head, keeping the request line only: fields are checked and let go, and so is the body.
/// Stricter than Beast where a message can be read in two ways (RFC 9112 §11.2). One object reads one request, into one
/// of the caller's that outlives it; so the memory of the last target serves the next.
class request_parser : private head_parser {
public:
    /// Bytes in the longest request head that is accepted (431), and in the longest target in it (414).
    static constexpr std::uint32_t longest_head = 8 * 1024;
    static constexpr std::size_t longest_target = 4 * 1024;

    explicit request_parser(request& request);

    /// Reads on in the bytes of a connection. `input` is all that has come and is not done with. Gives how many bytes
    /// of it are done with now; the next call gets the rest, and what has come behind it.
    std::size_t read(std::string_view input);

    /// What is wrong with the request so far, if anything.
    const std::optional<refusal>& refused() const noexcept { return refusal_; }

    /// True when the request has come to its end, the body included, and is not refused. Only then is all of it there.
    bool ended() const noexcept { return is_header_done() && body_.ended() && !refusal_; }

    /// True once, when the client waits for a `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    bool take_expectation() noexcept;

private:
    using error_code = beast::error_code;
    using string_view = beast::string_view;
    using optional_length = boost::optional<std::uint64_t>;

    std::size_t read_head(std::string_view input);
    void refuse(beast::http::status status, std::string problem, error_code& error);
    void explain(const error_code& error, std::string_view input);

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
    head_scanner scanner_;
    ignored_body body_;
    std::optional<refusal> refusal_;
    std::size_t looked_at_ = 0; // bytes at the front of the input that are not done with
    bool has_host_ = false;
    bool has_content_length_ = false;
    bool expects_continue_ = false;
};

} // namespace causeway::http
