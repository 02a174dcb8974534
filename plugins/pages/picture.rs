//! Pictures scaled for a screen: upright (their EXIF orientation done), in their colours, and without what cameras write into
//! them, the place they were taken at above all. The original is one tap away.
//!
//! It is bounded four times: pixels of one picture, memory of all that are read, memory of all that are being decoded, and what is
//! kept. Whoever finds no room waits a while, with nothing read, and is then told to try later. What cannot be scaled is
//! remembered, so that asking again for a damaged picture costs nothing.

use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use fast_image_resize::images::Image as Pixels;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage, RgbaImage};
use packetboat_api::store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::generations::Generations;
use crate::limits::{ANIMATION, COLOUR_PROFILE, DECODING_MIB, KEPT, PIXELS, READING_MIB, SCALED, SIDE, TURN};
use crate::throttle::Token;

/// Quality of what is made here, in percent: nothing is seen of it on a phone.
const QUALITY: u8 = 82;
/// A picture is at most so many times as high as it is wide when scaled: a screenshot of a long page is not.
const TALL: u32 = 6;

/// How wide a scaled picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// For phones of the first years of this century.
    Small,
    /// For phones of today with a plain screen.
    Medium,
    /// For fine screens.
    Large,
}

impl Size {
    /// As an address has it.
    pub fn of(text: &str) -> Option<Size> {
        [Size::Small, Size::Medium, Size::Large].into_iter().find(|size| size.width().to_string() == text)
    }

    /// In pixels.
    pub fn width(self) -> u32 {
        match self {
            Size::Small => 120,
            Size::Medium => 640,
            Size::Large => 1280,
        }
    }
}

/// What the beginning of a picture says of its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// So wide and so high, when it stands upright.
    Is(u32, u32),
    /// More pixels than are decoded.
    TooLarge,
    /// Nothing.
    Unknown,
}

/// Measures a picture by its beginning.
pub fn measure(head: &[u8]) -> Measured {
    let Ok(mut decoder) = decoder(head) else { return Measured::Unknown };
    let (width, height) = decoder.dimensions();
    let turned = decoder.orientation().is_ok_and(is_turned);
    match (fits(width, height), turned) {
        (false, _) => Measured::TooLarge,
        (true, false) => Measured::Is(width, height),
        (true, true) => Measured::Is(height, width),
    }
}

fn decoder(octets: &[u8]) -> Result<impl ImageDecoder + '_, Unscalable> {
    let reader = ImageReader::new(Cursor::new(octets)).with_guessed_format().map_err(|_| Unscalable::Unreadable)?;
    reader.into_decoder().map_err(|_| Unscalable::Unreadable)
}

fn fits(width: u32, height: u32) -> bool {
    width > 0 && height > 0 && width <= SIDE && height <= SIDE && u64::from(width) * u64::from(height) <= PIXELS
}

/// Whether upright is the other way.
fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
}

/// A scaled picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// Its octets.
    pub octets: Bytes,
    /// Its media type.
    pub media: &'static str,
}

/// Why a picture is not scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unscalable {
    /// It is damaged, or of a kind nobody here reads.
    #[error("the picture cannot be read")]
    Unreadable,
    /// It has too many pixels.
    #[error("the picture has too many pixels")]
    TooLarge,
    /// There is no room at the moment.
    #[error("too many pictures are being scaled")]
    Busy,
}

/// What scaled pictures are kept under: the message, the part, the width, and whether it has to be a GIF.
pub type Key = (Token, usize, Size, bool);

/// What became of a picture.
type Made = Result<Scaled, Unscalable>;

/// Scales pictures, so many at once, and keeps them.
pub struct Studio {
    /// MiB of pictures as they are stored, in memory to be decoded. Taken before `decoding`, so that who holds one never waits
    /// for who waits for it.
    reading: Arc<Semaphore>,
    /// MiB of pixels.
    decoding: Arc<Semaphore>,
    made: Mutex<Generations<Key, Made>>,
}

impl Default for Studio {
    fn default() -> Self {
        Studio {
            reading: Arc::new(Semaphore::new(READING_MIB as usize)),
            decoding: Arc::new(Semaphore::new(DECODING_MIB as usize)),
            made: Mutex::new(Generations::new(SCALED)),
        }
    }
}

impl Studio {
    /// What became of it before.
    pub fn made(&self, key: &Key) -> Option<Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).find(key).cloned()
    }

    /// Scales a picture of so many octets in its turn. It is read when the turn has come, and not before.
    pub async fn scale(
        &self,
        key: Key,
        length: u64,
        read: impl Future<Output = Result<Bytes, StoreError>>,
    ) -> Result<Scaled, Unscalable> {
        let until = tokio::time::Instant::now() + TURN;
        let reading = turn(&self.reading, mib(length).min(READING_MIB), until).await?;
        // Somebody who waited for the same may have had it made.
        if let Some(made) = self.made(&key) {
            return made;
        }
        let octets = read.await.map_err(|_| Unscalable::Busy)?;
        let needs = match room_for(&octets) {
            Ok(needs) => needs,
            Err(unscalable) => return self.keep(key, Err(unscalable)),
        };
        let decoding = turn(&self.decoding, needs, until).await?;
        if let Some(made) = self.made(&key) {
            return made;
        }
        let (_, _, size, gif) = key;
        let made = tokio::task::spawn_blocking(move || {
            let made = scale(&octets, size, gif);
            drop((octets, reading, decoding));
            made
        });
        self.keep(key, made.await.unwrap_or(Err(Unscalable::Unreadable)))
    }

    fn keep(&self, key: Key, made: Made) -> Made {
        let weight = made.as_ref().map_or(0, |scaled| scaled.octets.len()).max(KEPT);
        self.made.lock().unwrap_or_else(PoisonError::into_inner).put(key, made.clone(), weight);
        made
    }
}

/// Waits for so many MiB.
async fn turn(
    room: &Arc<Semaphore>,
    mib: u32,
    until: tokio::time::Instant,
) -> Result<OwnedSemaphorePermit, Unscalable> {
    match tokio::time::timeout_at(until, room.clone().acquire_many_owned(mib)).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Unscalable::Busy),
    }
}

/// Octets in MiB, rounded up.
fn mib(octets: u64) -> u32 {
    u32::try_from(octets.div_ceil(1 << 20)).unwrap_or(u32::MAX).max(1)
}

/// MiB that decoding takes, beside the octets it is decoded from: the pixels, and half of them again.
fn room_for(octets: &[u8]) -> Result<u32, Unscalable> {
    let (width, height) = decoder(octets)?.dimensions();
    if !fits(width, height) {
        return Err(Unscalable::TooLarge);
    }
    Ok(mib(u64::from(width) * u64::from(height) * 4 * 3 / 2).min(DECODING_MIB))
}

/// Scales a picture down to a width; what is narrower keeps its size. Animations go out as they are, unless only one picture can
/// be shown.
pub fn scale(octets: &Bytes, size: Size, gif: bool) -> Result<Scaled, Unscalable> {
    if size != Size::Small
        && octets.len() as u64 <= ANIMATION
        && let Some(media) = animation(octets)
    {
        return Ok(Scaled { octets: octets.clone(), media });
    }
    let mut decoder = decoder(octets)?;
    let (width, height) = decoder.dimensions();
    if !fits(width, height) {
        return Err(Unscalable::TooLarge);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(u64::from(DECODING_MIB) << 20);
    decoder.set_limits(limits).map_err(|_| Unscalable::TooLarge)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_rgb_profile(profile));
    let decoded = DynamicImage::from_decoder(decoder).map_err(|_| Unscalable::Unreadable)?;
    let wide = if is_turned(orientation) { height } else { width };
    let high = if is_turned(orientation) { width } else { height };
    let (w, h) = scaled_to(wide, high, size.width());
    let target = if is_turned(orientation) { (h, w) } else { (w, h) };
    let mut scaled = resized(decoded, target)?;
    scaled.apply_orientation(orientation);
    match gif {
        true => as_gif(&scaled),
        false if scaled.color().has_alpha() => as_png(&scaled),
        false => as_jpeg(&scaled, profile.as_deref()),
    }
}

/// The size in which a picture is no wider than `most`, and not absurdly high.
fn scaled_to(width: u32, height: u32, most: u32) -> (u32, u32) {
    let ratio = [1.0, f64::from(most) / f64::from(width), f64::from(most * TALL) / f64::from(height)];
    let ratio = ratio.into_iter().fold(1.0, f64::min);
    let scaled = |side: u32| ((f64::from(side) * ratio).round() as u32).max(1);
    (scaled(width), scaled(height))
}

fn resized(picture: DynamicImage, (width, height): (u32, u32)) -> Result<DynamicImage, Unscalable> {
    let transparent = picture.color().has_alpha();
    let (from_width, from_height) = (picture.width(), picture.height());
    let (octets, kind) = match transparent {
        true => (picture.into_rgba8().into_raw(), PixelType::U8x4),
        false => (picture.into_rgb8().into_raw(), PixelType::U8x3),
    };
    let octets = match (from_width, from_height) == (width, height) {
        true => octets,
        false => {
            let from =
                Pixels::from_vec_u8(from_width, from_height, octets, kind).map_err(|_| Unscalable::Unreadable)?;
            let mut to = Pixels::new(width, height, kind);
            let how = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
            Resizer::new().resize(&from, &mut to, &how).map_err(|_| Unscalable::Unreadable)?;
            to.into_vec()
        }
    };
    let made = match transparent {
        true => RgbaImage::from_raw(width, height, octets).map(DynamicImage::from),
        false => RgbImage::from_raw(width, height, octets).map(DynamicImage::from),
    };
    made.ok_or(Unscalable::Unreadable)
}

/// Whether a colour profile is one for the pixels made here (ICC.1 7.2.6: the colour space, at octet 16).
fn is_rgb_profile(profile: &[u8]) -> bool {
    profile.len() <= COLOUR_PROFILE && profile.get(16..20) == Some(b"RGB ")
}

fn as_jpeg(picture: &DynamicImage, profile: Option<&[u8]>) -> Result<Scaled, Unscalable> {
    let (Ok(width), Ok(height)) = (u16::try_from(picture.width()), u16::try_from(picture.height())) else {
        return Err(Unscalable::TooLarge);
    };
    let mut octets = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut octets, QUALITY);
    if let Some(profile) = profile {
        encoder.add_icc_profile(profile).map_err(|_| Unscalable::Unreadable)?;
    }
    let encoded = encoder.encode(picture.to_rgb8().as_raw(), width, height, jpeg_encoder::ColorType::Rgb);
    encoded.map_err(|_| Unscalable::Unreadable)?;
    Ok(Scaled { octets: octets.into(), media: "image/jpeg" })
}

fn as_png(picture: &DynamicImage) -> Result<Scaled, Unscalable> {
    written(picture, image::ImageFormat::Png, "image/png")
}

/// For phones whose screens have shades of grey, or few colours: a GIF.
fn as_gif(picture: &DynamicImage) -> Result<Scaled, Unscalable> {
    let opaque = DynamicImage::from(picture.to_rgb8());
    written(&opaque, image::ImageFormat::Gif, "image/gif")
}

fn written(picture: &DynamicImage, format: image::ImageFormat, media: &'static str) -> Result<Scaled, Unscalable> {
    let mut octets = Cursor::new(Vec::new());
    picture.write_to(&mut octets, format).map_err(|_| Unscalable::Unreadable)?;
    Ok(Scaled { octets: octets.into_inner().into(), media })
}

/// The media type of an animation: a GIF with a second picture, a WebP or PNG that says so.
fn animation(octets: &[u8]) -> Option<&'static str> {
    let within =
        |most: usize, what: &[u8]| octets[..octets.len().min(most)].windows(what.len()).any(|window| window == what);
    let controls = || octets.windows(3).filter(|window| *window == [0x21, 0xF9, 0x04]).take(2).count();
    match () {
        () if octets.starts_with(b"GIF8") && controls() == 2 => Some("image/gif"),
        () if octets.starts_with(b"RIFF") && within(64, b"ANIM") => Some("image/webp"),
        () if octets.starts_with(b"\x89PNG") && within(256, b"acTL") => Some("image/png"),
        () => None,
    }
}

/// The media type of a picture by its first octets; `None` for what no browser shows as a picture.
pub fn kind(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'B', b'M', ..] => Some("image/bmp"),
        _ => None,
    }
}
