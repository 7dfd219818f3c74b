// Reading one HTTP request: what Causeway keeps of it, and how much it accepts.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/verb.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace causeway::http {

namespace beast = boost::beast;

/// What is kept of a request; nothing here needs the other fields.
struct request {
    beast::http::verb method = beast::http::verb::unknown;
    std::string target;
    unsigned version = 11; ///< 10 or 11
    bool keep_alive = false;
};

/// Beast's parser, keeping the request line only: fields are checked and let go, a body is read and ignored.
/// One object reads one request.
class request_parser : public beast::http::basic_parser<true> {
public:
    /// Bytes in the longest request head that is accepted.
    static constexpr std::uint32_t longest_head = 8 * 1024;
    /// Bytes in the longest body that is accepted.
    static constexpr std::uint64_t longest_body = 64 * 1024;

    request_parser();

    /// The request, once `is_done()`.
    request take();

private:
    using error_code = beast::error_code;
    using string_view = beast::string_view;
    using content_length = boost::optional<std::uint64_t>;

    void on_request_impl(beast::http::verb method, string_view method_name, string_view target, int version,
                         error_code& error) override;
    void on_response_impl(int status, string_view reason, int version, error_code& error) override;
    void on_field_impl(beast::http::field field, string_view name, string_view value, error_code& error) override;
    void on_header_impl(error_code& error) override;
    void on_body_init_impl(const content_length& length, error_code& error) override;
    std::size_t on_body_impl(string_view body, error_code& error) override;
    void on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& error) override;
    std::size_t on_chunk_body_impl(std::uint64_t remain, string_view body, error_code& error) override;
    void on_finish_impl(error_code& error) override;

    request request_;
};

} // namespace causeway::http
