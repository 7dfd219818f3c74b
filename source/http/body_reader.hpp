// The body of a request: where it ends and, if needed, what is in it.
#pragma once

#include "http/head_scanner.hpp"
#include "http/refusal.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::http {

/// Reads the body of one request to its end (RFC 9112 §6.3). Of a chunked body (§7.1) only the data counts: extensions
/// and trailers are checked and discarded. Each line is checked as a whole, so the outcome is the same however its
/// bytes are cut.
class body_reader {
public:
    /// Bytes in the longest body, chunk lines and trailers not counted (413), and in the longest chunk extensions and
    /// trailers together (400): otherwise they could go on for ever.
    static constexpr std::uint64_t longest = 64 * 1024;
    static constexpr std::size_t longest_extras = 8 * 1024; ///< see above

    /// Appends the data to `content`, which outlives the reader; discards the data if that is null.
    explicit body_reader(std::string* content = nullptr);

    /// The body that the header section announced, not longer than `longest`. Without either call there is none.
    void expect_content(std::uint64_t length);
    void expect_chunks(); ///< the body is chunked

    /// Continues with the next bytes of a connection; returns how many of them belong to the body. If they are invalid,
    /// sets `refused`, and nothing more can be read.
    std::size_t read(std::string_view input, std::optional<refusal>& refused);

    bool ended() const noexcept { return next_ == part::nothing; } ///< whether the body is complete

private:
    enum class part { nothing, content, chunk_size, chunk_data, end_of_chunk, trailer };

    void take_data(std::string_view& input);
    std::optional<refusal> read_line(std::string_view& input);
    std::optional<refusal> take_line(std::string_view line);
    std::optional<refusal> take_chunk_size(std::string_view line);

    std::string* content_;
    part next_ = part::nothing;
    std::uint64_t data_left_ = 0; // of the content or the chunk
    std::uint64_t data_size_ = 0; // announced so far
    std::string line_;            // as much of it as has arrived
    std::size_t extras_ = 0;
    head_scanner scanner_; // the line of the last chunk and its trailers follow the rules of a header section
};

} // namespace causeway::http
