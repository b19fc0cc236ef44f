"""Operations on pictures: resizing, compositing, color, trails, optical flow."""
