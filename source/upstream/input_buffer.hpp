// What was received on a connection and not yet taken.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace causeway::upstream {

/// Keeps the bytes of a connection, contiguously, from when they are received until they are taken. For codecs: it
/// implements `codec::space` and `codec::received`.
class input_buffer {
public:
    /// It holds at most `capacity` bytes.
    explicit input_buffer(std::size_t capacity)
        : bytes_(capacity)
    {
    }

    /// All the room that there is for more bytes; empty when `capacity` bytes wait to be taken. Invalidates every view
    /// returned before.
    std::span<char> space()
    {
        if (begin_ != 0)
            std::copy(bytes_.data() + begin_, bytes_.data() + end_, bytes_.data());
        end_ -= begin_;
        begin_ = 0;
        return std::span(bytes_).subspan(end_);
    }

    /// The first `count` bytes of the last `space()` have been filled.
    void received(std::size_t count) noexcept
    {
        assert(count <= bytes_.size() - end_);
        end_ += count;
    }

    /// What was received and not taken.
    std::string_view unread() const noexcept { return {bytes_.data() + begin_, end_ - begin_}; }

    /// Takes the first `count` bytes of that. They are valid until `space()` is called.
    std::string_view take(std::size_t count) noexcept
    {
        const auto taken = unread().substr(0, count);
        begin_ += taken.size();
        return taken;
    }

private:
    std::vector<char> bytes_;
    std::size_t begin_ = 0; // of the bytes that were not taken
    std::size_t end_ = 0;   // of the received bytes
};

} // namespace causeway::upstream
