// What has come on a connection and was not read yet.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace causeway::upstream {

/// Keeps the bytes of a connection, in one piece, from when they come until they are taken. For codecs: it does what
/// `codec::space` and `codec::received` are to do.
class input_buffer {
public:
    /// It holds at most `capacity` bytes.
    explicit input_buffer(std::size_t capacity)
        : bytes_(capacity)
    {
    }

    /// Room for more bytes: all that there is, empty when `capacity` bytes wait to be taken. Ends the validity of every
    /// view given before.
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

    /// What has come and was not taken.
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
    std::size_t begin_ = 0; // of what was not taken
    std::size_t end_ = 0;   // of what has come
};

} // namespace causeway::upstream
